"""Look at what users get: ``wheel.py DIST``, where the wheel is installed with what it depends on and nothing more.

To be run outside the checkout, so that nothing but the installed package can be imported. DIST holds the sdist.
"""

import logging
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from pkgutil import walk_packages

import django
from django.conf import settings
from django.core.management import call_command

import django_klarna

CHECKOUT = Path(__file__).resolve().parent.parent
INSTALLED = distribution("django-klarna")
# What those who package a release for others build and test it with.
SDIST_DIRECTORIES = {"django_klarna", "docs", "example_project", "tests"}
SDIST_FILES = {"CHANGELOG.md", "LICENSE", "README.md", "manage.py", "pyproject.toml"}
# Added by Hatchling.
SDIST_FILES |= {".gitignore", "PKG-INFO"}
# It looks at files that are not in the sdist.
SDIST_LACKS = {"tests/test_ci.py"}
EXTRA = "pip install 'django-klarna[sandbox]'"
APPS = [f"django.contrib.{app}" for app in ("admin", "auth", "contenttypes", "messages", "sessions")]


def tree(directory: str) -> set[str]:
    """Give the files below a directory of the checkout, without what git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", directory]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    return set(done.stdout.splitlines())


def differences(archive: str, found: set[str], wanted: set[str]) -> Iterator[str]:
    """Name what is missing and what is too much."""
    yield from (f"{name} is not in the {archive}" for name in sorted(wanted - found))
    yield from (f"{name} should not be in the {archive}" for name in sorted(found - wanted))


def wheel() -> Iterator[str]:
    """Compare the installed files with the checkout; without py.typed nobody's type checker would see our types."""
    files = [file for file in INSTALLED.files or () if "__pycache__" not in file.parts]
    found = {file.as_posix() for file in files if not file.parts[0].endswith(".dist-info")}
    yield from differences("wheel", found, tree("django_klarna") | {"django_klarna/py.typed"})


def sdist() -> Iterator[str]:
    """Compare the sdist with the checkout."""
    root = f"django_klarna-{INSTALLED.version}"
    with tarfile.open(Path(sys.argv[1], f"{root}.tar.gz")) as archive:
        found = {name.removeprefix(f"{root}/") for name in archive.getnames()}
    wanted = SDIST_FILES.union(*map(tree, SDIST_DIRECTORIES)) - SDIST_LACKS
    yield from differences("sdist", found, wanted)


def metadata() -> Iterator[str]:
    """Compare what the index shows with the checkout."""
    wanted = {
        "Name": "django-klarna",
        "Version": django_klarna.__version__,
        "License-Expression": "BSD-3-Clause",
        "Description-Content-Type": "text/markdown",
        "Description": (CHECKOUT / "README.md").read_text(),
    }
    for key, value in wanted.items():
        if (told := INSTALLED.metadata[key]).strip() != value.strip():
            yield f"{key} is {told!r} in the wheel and not {value!r}"
    if INSTALLED.read_text("licenses/LICENSE") != (CHECKOUT / "LICENSE").read_text():
        yield "LICENSE is not the licence in the wheel"


def imports() -> Iterator[str]:
    """Import every module; only the sandbox needs an extra."""
    refused = {}
    for module in walk_packages(django_klarna.__path__, "django_klarna."):
        try:
            import_module(module.name)
        except ImportError as error:
            refused[module.name] = str(error)
    refused.pop("django_klarna.sandbox", None)
    yield from (f"{name} cannot be imported: {error}" for name, error in refused.items())


def sandbox() -> Iterator[str]:
    """Run the sandbox without its extra, of which it tells in one line."""
    command = [sys.executable, "-m", "django_klarna.sandbox", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode != 1 or done.stderr.count("\n") != 1 or EXTRA not in done.stderr:
        yield f"The sandbox does not say that it needs {EXTRA}: {done.stdout}{done.stderr}"


def migrations() -> Iterator[str]:
    """Migrate a database, and find no change of a model without a migration."""
    call_command("migrate", verbosity=0)
    try:
        call_command("makemigrations", check_changes=True, verbosity=0)
    except SystemExit:
        yield "A migration is missing"


def main() -> int:
    """Print every fault; the exit status says whether there is any."""
    # Without a shop nobody could notice that a cart has changed, and the app says so.
    logging.disable()
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    # Any model can be the cart.
    settings.configure(
        INSTALLED_APPS=[*APPS, "rest_framework", "django_klarna"],
        DATABASES={"default": database},
        KLARNA_CART_MODEL="auth.User",
    )
    django.setup()
    faults = [fault for look in (wheel, sdist, metadata, imports, sandbox, migrations) for fault in look()]
    print(f"{django_klarna.__file__}: {len(faults)} faults", *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
