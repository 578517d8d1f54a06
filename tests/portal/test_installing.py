"""`make` installs a working .venv over anything it finds, and only what the lock file names."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.server import ROOT

# Names and versions of a line `name==1.2.3 ; marker \` of the lock file.
LOCKED = re.compile(
    r"^([a-z0-9-]+)==[^ ]+.*?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a checkout with nothing to install, so that only the environment is created."""
    home = tmp_path_factory.mktemp("checkout") / "C# projects"
    home.mkdir()
    shutil.copy(ROOT / "Makefile", home)
    (home / "requirements.lock").write_text("# nothing\n")
    return home


def install(home: Path, python: str = sys.executable) -> CompletedProcess[str]:
    # These tests may have been started by make, whose child processes would mention it.
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    command = ["make", "installed", f"PYTHON={python}"]
    return subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, check=False)


def works(home: Path) -> bool:
    try:
        done = subprocess.run(
            [home / ".venv/bin/python", "-m", "pip", "--version"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0 and str(home) in done.stdout


def lose_the_interpreter(venv: Path) -> None:
    for name in ("python", "python3"):
        (venv / "bin" / name).unlink()
        (venv / "bin" / name).symlink_to("/no/such/python")


def lose_pip(venv: Path) -> None:
    shutil.rmtree(next(venv.glob("lib/python3.*/site-packages/pip")))


def become_another_python(venv: Path) -> None:
    (folder,) = venv.glob("lib/python3.*")
    folder.rename(folder.with_name("python3.2"))


def stay_half_made(venv: Path) -> None:
    (venv / ".installed").unlink()
    shutil.rmtree(venv / "lib")


@pytest.mark.parametrize(
    "harm", [None, lose_the_interpreter, lose_pip, become_another_python, stay_half_made]
)
def test_a_venv_that_does_not_work_is_made_anew(
    home: Path, harm: Callable[[Path], None] | None
) -> None:
    if harm:
        harm(home / ".venv")
        assert not works(home)
    done = install(home)
    assert done.returncode == 0, done.stderr
    assert works(home)


def test_a_venv_that_works_is_kept(home: Path) -> None:
    install(home)
    (home / ".venv" / "mine").touch()
    assert install(home).stdout == ""
    assert (home / ".venv" / "mine").exists()


def test_a_checkout_that_was_moved_gets_a_venv_of_its_own(home: Path, tmp_path: Path) -> None:
    install(home)
    shutil.copytree(home, tmp_path / "moved", symlinks=True)
    assert install(tmp_path / "moved").returncode == 0
    assert works(tmp_path / "moved")
    assert str(home) not in (tmp_path / "moved" / ".venv" / "pyvenv.cfg").read_text()


def test_without_a_python_that_can_make_one_there_is_a_sentence(home: Path) -> None:
    done = install(home, python="/no/such/python")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stdout


def test_each_requirement_is_locked_with_hashes_and_without_an_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    locked = {name for name, _hashes in LOCKED.findall(lock)}
    wanted = set(
        re.findall(
            r"^([a-z0-9-]+)(?:\[[a-z]+\])?~=", (ROOT / "requirements.txt").read_text(), re.MULTILINE
        )
    )
    # No more and no fewer, so the lock file was renewed with the last change of requirements.txt.
    assert wanted == set(
        re.findall(
            r"^([a-z0-9-]+)==(?:(?!^[a-z]).*\n)*?    #(?: via|  ) +-r requirements\.txt$",
            lock,
            re.MULTILINE,
        )
    )
    assert len(locked) == lock.count("==") - lock.count(" == ")
    assert "http" not in lock
