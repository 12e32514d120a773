"""Programs that are forked off a template are what they would be after a start of their own."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from localcloud.programs.templates import Process, Recipe, Templates

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="templates need pidfd_open (Linux)")

PYTHON = (sys.executable, "-S")
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
RECIPE = Recipe(PYTHON, ("logging.handlers", "random", "http.client"), tuple(ENVIRONMENT.items()))
SECONDS = 20


@dataclass
class Started:
    """A program with the server's ends of what it was given."""

    process: Process
    lifeline: int
    output: int

    def said(self) -> str:
        with os.fdopen(self.output, closefd=False) as file:
            return file.read()

    def told(self) -> Any:
        return json.loads(self.said())


Start = Callable[..., Started]


@pytest.fixture(scope="module")
def templates() -> Iterator[Templates]:
    made = Templates(60)
    yield made
    made.close()


@pytest.fixture
def start(templates: Templates, tmp_path: Path) -> Iterator[Start]:
    opened: list[int] = []

    def start(text: str, *arguments: str, guarded: bool = False, **variables: str) -> Started:
        script = tmp_path / f"program_{len(opened)}.py"
        script.write_text(text)
        (read, lifeline), (output, write) = os.pipe(), os.pipe()
        opened.extend((lifeline, output))
        process = templates.start(
            RECIPE,
            [*PYTHON, str(script), *arguments],
            cwd=tmp_path,
            environment={**ENVIRONMENT, **variables},
            descriptors=(read, write, write),
            guarded=guarded,
        )
        os.close(read)
        os.close(write)
        assert process is not None
        return Started(process, lifeline, output)

    yield start
    for each in opened:
        os.close(each)


IS_FORKED = 'import sys, json\nprint(json.dumps(any(type(f).__name__ == "Shelf" for f in sys.meta_path)))'


def test_program_has_its_own_arguments_folder_and_variables_and_no_other_descriptor(
    start: Start, tmp_path: Path
) -> None:
    text = """
import json, os, sys
print(json.dumps({
    "argv": sys.argv, "path": sys.path[:2], "cwd": os.getcwd(), "name": __name__,
    "environ": dict(os.environ), "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
    "session": os.getsid(0) == os.getpid(),
}))
"""
    told = start(text, "a", "b", OWN="own", PYTHONPATH="/first").told()

    assert told["argv"] == [str(tmp_path / "program_0.py"), "a", "b"]
    assert told["path"] == [str(tmp_path), "/first"]
    assert (told["cwd"], told["name"], told["session"]) == (str(tmp_path), "__main__", True)
    assert told["environ"] == {**ENVIRONMENT, "OWN": "own", "PYTHONPATH": "/first"}
    assert told["descriptors"] == [0, 1, 2]


def test_variables_of_a_program_are_nowhere_for_others_to_read(start: Start) -> None:
    text = """
import json, os, sys
print(json.dumps([open(f"/proc/{pid}/environ").read() for pid in (os.getpid(), os.getppid())]))
"""
    environments = start(text, KEY="secret").told()
    assert all("LANG" in each and "secret" not in each for each in environments)


def test_program_has_the_modules_that_it_imports_and_what_comes_with_them(start: Start) -> None:
    text = """
import json, sys
import logging
told = [hasattr(logging, "handlers"), "http" in sys.modules, "email" in sys.modules]
import http.client
told += [http.client.__spec__.name, "email.message" in sys.modules, hasattr(logging, "handlers")]
print(json.dumps(told))
"""
    told = start(text).told()
    alone = subprocess.run([*PYTHON, "-c", text], capture_output=True, env=ENVIRONMENT, check=True)
    assert told == [False, False, False, "http.client", True, False]
    assert told == json.loads(alone.stdout)


def test_imports_are_those_of_a_start_of_its_own(start: Start) -> None:
    text = """
import sys
import {}
print("\\n".join(sorted(sys.modules)))
"""
    for name in ("json", "http.client", "logging.handlers"):
        alone = subprocess.run(
            [*PYTHON, "-c", text.format(f"os, {name}")],
            capture_output=True,
            env=ENVIRONMENT,
            text=True,
            check=True,
        )
        assert start(text.format(name)).said().split() == alone.stdout.split()


def test_package_that_comes_earlier_on_the_path_wins(start: Start, tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("MINE = True")
    assert start("import random, json\nprint(json.dumps(random.MINE))").told() is True


def test_random_numbers_are_each_program_s_own(start: Start) -> None:
    text = "import random, json\nprint(json.dumps(random.random()))"
    assert start(text).told() != start(text).told()


@pytest.mark.parametrize(
    ("name", "other"), [("OMP_NUM_THREADS", "2"), ("PYTHONHASHSEED", "1"), ("LC_ALL", "C")]
)
def test_program_that_asks_for_another_start_has_it(start: Start, name: str, other: str) -> None:
    assert start(IS_FORKED).told() is True
    assert start(IS_FORKED, **{name: other}).told() is False


@pytest.mark.parametrize("guarded", [False, True])
def test_exit_status_is_the_program_s(start: Start, guarded: bool) -> None:
    left = start("import sys\nsys.exit(3)", guarded=guarded)
    failed = start("import logging.handlers\nraise ValueError('reason')", guarded=guarded)
    killed = start("import os\nos.kill(os.getpid(), 9)", guarded=guarded)
    finished = start("print('end')", guarded=guarded)

    assert [each.process.wait(SECONDS) for each in (left, failed)] == [3, 1]
    assert killed.process.wait(SECONDS) == (128 + 9 if guarded else -9)
    assert finished.process.wait(SECONDS) == 0
    assert "ValueError: reason" in failed.said()
    assert finished.said() == "end\n"


SLEEPING = """
import subprocess, sys, time, os
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"], start_new_session=True)
print(os.getpid(), child.pid, flush=True)
os.close(1); os.close(2)
time.sleep(60)
"""


def running(started: Started) -> list[psutil.Process]:
    with os.fdopen(started.output, closefd=False) as file:
        return [psutil.Process(int(pid)) for pid in file.readline().split()]


def assert_gone(found: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(found, timeout=SECONDS)
    assert alive == []


def test_end_of_the_server_ends_a_guarded_program_and_what_it_detached(start: Start) -> None:
    started = start(SLEEPING, guarded=True)
    found = running(started)
    os.dup2(os.open(os.devnull, os.O_RDONLY), started.lifeline)
    assert_gone(found)
    # Either of its threads may end it: that which watches the server, or that which waits for the program.
    assert started.process.wait(SECONDS) in (1, 128 + signal.SIGKILL)


def test_guard_that_is_killed_takes_its_program_along(start: Start) -> None:
    started = start(SLEEPING, guarded=True)
    program, detached = running(started)
    started.process.kill()
    assert_gone([program])
    detached.kill()
    assert started.process.wait(SECONDS) == -signal.SIGKILL


def test_guard_hands_on_the_signal_to_end(start: Start) -> None:
    text = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(1)
time.sleep(60)
"""
    started = start(text, guarded=True)
    os.read(started.output, 1)
    assert started.process.poll() is None
    started.process.terminate()
    assert started.process.wait(SECONDS) == 7


def test_killed_template_ends_unguarded_programs_and_is_replaced(start: Start) -> None:
    started = start(SLEEPING)
    program, detached = running(started)
    template = program.parent()
    assert template is not None
    template.kill()
    assert_gone([program, template])
    detached.kill()
    assert started.process.wait(SECONDS) == -signal.SIGKILL
    with pytest.raises(AssertionError):  # this one starts by itself
        start(IS_FORKED)
    assert start(IS_FORKED).told() is True


def test_modules_that_cannot_be_loaded_leave_programs_to_their_own_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    templates = Templates(60)
    broken = Recipe(PYTHON, ("no_such_module",), tuple(ENVIRONMENT.items()))
    with caplog.at_level(logging.WARNING), Path(os.devnull).open() as nothing:
        for recipe in (broken, broken):
            assert (
                templates.start(
                    recipe,
                    [*PYTHON, "-m", "this"],
                    cwd=tmp_path,
                    environment=ENVIRONMENT,
                    descriptors=(nothing.fileno(),) * 3,
                    guarded=False,
                )
                is None
            )
    templates.close()
    assert len(caplog.records) == 1
    assert "no_such_module" in caplog.text


def test_without_templates_every_program_starts_by_itself(tmp_path: Path) -> None:
    argv = [*PYTHON, "-m", "this"]
    assert (
        Templates(0).start(RECIPE, argv, cwd=tmp_path, environment={}, descriptors=(0, 1, 2), guarded=True)
        is None
    )
