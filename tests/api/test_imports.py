import subprocess
import sys


def test_the_client_knows_nothing_of_django() -> None:
    loaded = "import sys, django_klarna.api; print('requests' in sys.modules, 'django' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).split() == ["True", "False"]
