"""A process that has imported libraries, and forks programs that then need not: `template.py FD "MODULE …"`.

Standard library only: it runs in the Python environment of the programs. FD is a socket of the server's.
"""

import os
import sys

KNOWN = frozenset(sys.modules)

# what is imported from here on is hidden from programs
from shelf import Shelf  # type: ignore[import-not-found]  # noqa: E402  # beside this program


def main() -> int:
    """Load, then fork until the server closes the socket and all programs have ended."""
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123  # pathlib would be known
        given = [os.fsdecode(line).partition("=") for line in file.read().split(b"\0") if line]
    # os.environ has what the interpreter has set, too
    environment, read = {name: text for name, _, text in given}, set()
    kind = type(os.environ)
    original = kind.__getitem__

    def reading(self: "os._Environ[str]", name: str) -> str:
        read.add(name)
        return original(self, name)

    kind.__getitem__ = reading  # type: ignore[method-assign]
    shelf = Shelf(KNOWN)
    try:
        shelf.load(["forks", *sys.argv[2].split()])
    finally:
        kind.__getitem__ = original  # type: ignore[method-assign]
    written = {name: text for name, text in os.environ.items() if environment.get(name) != text}
    forks = sys.modules["forks"]
    forked = forks.serve(int(sys.argv[1]), forks.Start(shelf, environment, read, written))
    return 0 if forked is None else forked()


if __name__ == "__main__":
    sys.exit(main())
