"""The work of a template: forks a program for each request, and tells the server how it ended.

A request is one byte with five descriptors: a file with the request's JSON, standard input, output and error,
and a socket on which the server hears of this program alone: a descriptor of its process, then its exit
status. The template reads no request: what one program is given, credentials included, is in no other one's
memory.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

    from localcloud.programs import guard
    from localcloud.programs.shelf import Shelf
else:
    import guard  # beside the template

_DESCRIPTORS = 5
_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_")
_MADE_OWN = ("PYTHONPATH", "HOME")  # by `Start.run` and `_make_own`
_THREADS = ("GOTO_", "MKL_", "BLIS_", "VECLIB_", "NUMEXPR_", "NPY_", "NUMPY_", "ARROW_", "SSL_", "OPENSSL_")


class Start:
    """What becomes of a fork.

    Parameters
    ----------
    shelf
        The loaded modules.
    environment
        The template's own.
    read
        Names of variables that the modules looked at when they were loaded.
    written
        Variables that they set then.
    """

    def __init__(
        self, shelf: Shelf, environment: Mapping[str, str], read: Collection[str], written: Mapping[str, str]
    ) -> None:
        self._shelf = shelf
        self._environment = environment
        self._read = read
        self._written = written
        own = str(Path(__file__).parent)
        before = environment.get("PYTHONPATH", "").split(os.pathsep)
        self._path = [entry for entry in sys.path if entry != own and entry not in before]

    def run(self, request: Any) -> int:
        """Be the program: as it is, or from its start where the template is another one than it asks for."""
        environment: dict[str, str] = request["environment"]
        argv: list[str] = request["argv"]
        if not self.fits(environment):
            os.execve(argv[0], argv, environment)  # noqa: S606  # a command line, not a shell's
        os.environ.clear()
        os.environ.update({**self._written, **environment})
        time.tzset()
        _make_own()
        name_process(argv)
        arguments = argv[request["interpreter"] :]
        before = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
        if arguments[0] == "-m":
            self._shelf.hide(but="runpy")  # as `python -m` has it
            sys.argv = arguments[1:]
            sys.path[:] = [str(Path.cwd()), *before, *self._path]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
            return 0
        code = compile(Path(arguments[0]).read_bytes(), arguments[0], "exec", dont_inherit=True)
        self._shelf.hide()
        sys.argv = arguments
        sys.path[:] = [str(Path(arguments[0]).parent), *before, *self._path]
        main = type(sys)("__main__")
        main.__file__ = arguments[0]
        sys.modules["__main__"] = main
        exec(code, vars(main))  # noqa: S102  # the program itself
        return 0

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether the interpreter and the libraries would be the same after a start of their own."""
        names = {
            name
            for name in {*environment, *self._environment}
            if name in self._read or name.startswith((*_AT_START, *_THREADS))
        }
        return all(environment.get(name) == self._environment.get(name) for name in names - {*_MADE_OWN})


def serve(descriptor: int, start: Start) -> Callable[[], int] | None:
    """Fork until the socket is closed and every fork has ended; in a fork, return what it has to do."""
    control = socket.socket(fileno=descriptor)
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        sys.exit(f"the modules have started {threads - 1} threads, which forks do not have")
    gc.collect()
    gc.freeze()  # what is loaded stays shared with the forks
    told: dict[int, int] = {}
    poll = select.poll()
    for each in (control.fileno(), woken):
        poll.register(each, select.POLLIN)
    is_open = True
    control.send(b".")
    while is_open or told:
        ready = [found for found, _ in poll.poll()]
        if woken in ready:
            os.read(woken, 4096)
            _tell_ends(told)
        if control.fileno() not in ready:
            continue
        message, received, _, _ = socket.recv_fds(control, 1, _DESCRIPTORS)
        if not message:
            is_open = False
            poll.unregister(control.fileno())
            continue
        parent = os.getpid()
        pid = os.fork()
        if not pid:
            control.detach()
            return lambda: _begin(received, parent, start)
        with socket.socket(fileno=received[4]) as status:
            process = os.pidfd_open(pid)
            socket.send_fds(status, [pid.to_bytes(8, "little")], [process])
            os.close(process)
            told[pid] = status.detach()
        for each in received[:4]:
            os.close(each)
    return None


def name_process(argv: list[str]) -> None:
    """Write a program's arguments over the template's, where `ps` reads them."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    first, last = int(fields[45]), int(fields[46])
    if 0 < first < last:
        text = "\0".join(argv).encode()[: last - first - 1]
        ctypes.memmove(first, text.ljust(last - first, b"\0"), last - first)


def _make_own() -> None:
    """Make anew what libraries made of the process or its environment when they were loaded."""
    if "numpy.random" in sys.modules:  # others seed themselves when they are forked
        sys.modules["numpy.random"].seed()
    if "multiprocessing.process" in sys.modules:
        sys.modules["multiprocessing.process"].current_process().authkey = os.urandom(32)
    if "botocore.utils" in sys.modules:
        cache = sys.modules["botocore.utils"].JSONFileCache
        cache.CACHE_DIR = str(Path("~/.aws/boto/cache").expanduser())


def _tell_ends(told: dict[int, int]) -> None:
    while told:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        listener = told.pop(pid)
        try:
            os.write(listener, os.waitstatus_to_exitcode(status).to_bytes(8, "little", signed=True))
        except OSError:
            pass  # nobody asks any more
        finally:
            os.close(listener)


def _begin(received: list[int], template: int, start: Start) -> int:
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with open(received[0], closefd=False) as file:
        request = json.load(file)
    if not request["guarded"]:
        guard.die_with_parent()
        if os.getppid() != template:
            os._exit(1)
    for target, each in enumerate(received[1:4]):
        os.dup2(each, target)
    os.closerange(3, max(int(found.name) for found in Path("/proc/self/fd").iterdir()) + 1)
    os.chdir(request["directory"])
    if not request["guarded"]:
        return start.run(request)
    name_process([guard.__file__, *request["argv"]])
    watcher = os.getpid()

    def program() -> int:
        pid = os.fork()
        if pid:
            return pid
        os.setsid()
        guard.begin()
        if os.getppid() != watcher:
            os._exit(1)
        with Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), 0)
        sys.exit(start.run(request))  # past the guard, which is the other process's

    return guard.guard(program)
