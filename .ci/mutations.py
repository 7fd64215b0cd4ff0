"""Change ``money`` and ``lines`` in every small way, and fail if a change goes unnoticed: ``mutations.py [WORD...]``.

The changes are those of mutmut. It leaves out properties and constants, where a row's tax and the rates are, so that
they are made here, to whole modules; with words, only those that have all of them in their description. Each is tried
in a process of its own, in memory: no file is changed. A survivor must be in ``survivors.toml``, with the reason.
"""

import gc
import os
import signal
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType

import hypothesis
import libcst
import pytest
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parent.parent
MUTATED = [ROOT / "django_klarna/money.py", *sorted((ROOT / "django_klarna/lines").glob("*.py"))]
TESTS = [
    "tests/lines/test_vectors.py",  # notices most
    *sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests/lines").glob("test_*.py")
        if path.stem not in {"test_any_cart", "test_vectors"}
    ),
    "tests/test_money.py",
]
PLUGINS = ["-p", "pytest_django.plugin", "-p", "pytest_socket"]
OPTIONS = ["-x", "-q", "--assert=plain", "--tb=no", "--noconftest", *PLUGINS]
#: What is imported anew in each process, for it depends on what is changed.
DEPENDENT = ("django_klarna.money", "django_klarna.lines", "tests.lines", "tests.test_money")
#: Seconds; without a change the tests take two.
LONGEST = 60
AT_ONCE = os.cpu_count() or 1
#: A test failed; a module could not even be imported; the time was up.
NOTICED = {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED, -signal.SIGALRM}
LIST = ROOT / ".ci/survivors.toml"


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    path: Path
    where: str
    source: str

    def __str__(self) -> str:
        before, after = self.path.read_text().splitlines(), self.source.splitlines()
        changed = [
            line for line in unified_diff(before, after, n=0, lineterm="") if line[:3] not in {"---", "+++"}
        ]
        text = " ".join(" ".join(line.split()) for line in changed if line[0] in "-+")
        return f"{self.path.stem} {self.where}: {text}"


class Mutator(libcst.CSTVisitor):
    """Collect the changes of a module: where, a node, and what to put in its place."""

    def __init__(self) -> None:
        self.found: list[tuple[str, libcst.CSTNode, libcst.CSTNode]] = []
        self._names: list[str] = []

    def on_visit(self, node: libcst.CSTNode) -> bool:
        """Collect those of a node, and of its parts unless it is an annotation."""
        if isinstance(node, libcst.FunctionDef | libcst.ClassDef):
            self._names.append(node.name.value)
        where = ".".join(self._names) or "module"
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self.found += [(where, node, changed) for changed in operator(node)]
        return not isinstance(node, libcst.Annotation)

    def on_leave(self, node: libcst.CSTNode) -> None:
        """Forget the name of a function or class that ends here."""
        if isinstance(node, libcst.FunctionDef | libcst.ClassDef):
            self._names.pop()


def mutants(path: Path, words: Iterable[str]) -> Iterator[Mutant]:
    """Give a module with each change whose description has all ``words``."""
    module, mutator = libcst.parse_module(path.read_text()), Mutator()
    module.visit(mutator)
    for where, node, changed in mutator.found:
        mutant = Mutant(
            path, where, libcst.ensure_type(module.deep_replace(node, changed), libcst.Module).code
        )
        if all(word in str(mutant) for word in words):
            yield mutant


class Loader(SourceFileLoader):
    """Import a module from the source of a mutant."""

    def __init__(self, mutant: Mutant) -> None:
        name = ".".join(mutant.path.relative_to(ROOT).with_suffix("").parts)
        super().__init__(name.removesuffix(".__init__"), str(mutant.path))
        self._code = compile(mutant.source, self.path, "exec", dont_inherit=True)

    def get_code(self, fullname: str) -> CodeType:
        """Give the code of the mutant, whatever is in the file."""
        return self._code

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Find this module, and no other."""
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None


def tested(mutant: Mutant) -> int:
    """Run the tests with a mutant, in a process that ends; the status is pytest's, and 0 is a survivor."""
    signal.alarm(LONGEST)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for name in [name for name in sys.modules if name.startswith(DEPENDENT)]:
        del sys.modules[name]
    sys.meta_path.insert(0, Loader(mutant))
    return int(pytest.main([*OPTIONS, *TESTS]))


def forked(mutant: Mutant) -> int:
    """Give the id of a new process that tests a mutant, and whose status is that of `tested`."""
    pid = os.fork()
    if pid:
        return pid
    status = int(pytest.ExitCode.TESTS_FAILED)
    try:
        status = tested(mutant)
    finally:
        os._exit(status)


def outcomes(tried: Iterable[Mutant]) -> Iterator[tuple[Mutant, int]]:
    """Try each mutant in a process of its own, as many at once as there are cores, and give its status."""
    running: dict[int, Mutant] = {}

    def ended() -> tuple[Mutant, int]:
        pid, status = os.wait()
        return running.pop(pid), os.waitstatus_to_exitcode(status)

    for mutant in tried:
        if len(running) == AT_ONCE:
            yield ended()
        running[forked(mutant)] = mutant
    while running:
        yield ended()


def listed() -> set[str]:
    """Give the survivors that are known."""
    groups = tomllib.loads(LIST.read_text())["survivors"]
    return {mutant for group in groups for mutant in group["mutants"]}


def prepare() -> int:
    """Import everything and run the tests once without a mutant; 0 means that they passed."""
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutations", derandomize=True, database=None, phases=phases)
    hypothesis.settings.load_profile("mutations")
    return pytest.main([*OPTIONS, *TESTS])


def main(*words: str) -> int:
    """Try the mutants, and print what is not as it is listed; the exit status says whether there is any."""
    if prepare():
        return 1
    # The processes to come share this memory as long as they leave it alone.
    gc.freeze()
    statuses = Counter[int]()
    survivors = set()
    for mutant, status in outcomes(mutant for path in MUTATED for mutant in mutants(path, words)):
        statuses[status] += 1
        if status not in NOTICED:
            survivors.add(str(mutant))
    known = {mutant for mutant in listed() if all(word in mutant for word in words)}
    for mutant in sorted(survivors - known):
        print(f"survives: {mutant}")
    for mutant in sorted(known - survivors):
        print(f"is in {LIST.name}, but does not survive: {mutant}")
    unnoticed = sum(count for status, count in statuses.items() if status not in NOTICED)
    print(
        f"{statuses.total()} mutants, {unnoticed} survive, of which {len(survivors - known)} are not in {LIST.name}"
    )
    return int(survivors != known)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
