"""Run tests of the sdist against the installed wheel: ``unpacked.py DIST TESTS...``."""

import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path


def unpack(dist: Path) -> Path:
    """Unpack the sdist in this directory, all but the package: the wheel has it."""
    root = Path(f"django_klarna-{version('django-klarna')}").absolute()
    shutil.rmtree(root, ignore_errors=True)
    with tarfile.open(dist / f"{root.name}.tar.gz") as archive:
        archive.extractall(root.parent, filter="data")
    shutil.rmtree(root / "django_klarna")
    return root


if __name__ == "__main__":
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *sys.argv[2:]]
    sys.exit(subprocess.call(command, cwd=unpack(Path(sys.argv[1]))))  # noqa: S603 - our own command
