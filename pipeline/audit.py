"""`python -m pipeline.audit`: known vulnerabilities of the packages that the lock files pin.

npm is asked by `npm audit`, PyPI by its JSON API (https://docs.pypi.org/api/json/), whose `vulnerabilities`
are OSV's. It ends with 1 where there are any, and with 2 where a registry did not answer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

PROJECT = Path(__file__).resolve().parent.parent
REQUIREMENTS = PROJECT / "requirements.txt"
NODE = (PROJECT, PROJECT / "web")
"""Folders with a `package-lock.json`."""
FOUND, NOT_ASKED = 1, 2
"""Exit statuses."""
PYPI = "https://pypi.org/pypi"
AT_ONCE, SECONDS = 8, 20
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)

Ask = Callable[[str], bytes]


class RegistryError(Exception):
    """A registry did not answer, or answered something else: what is asked for is not known."""


@dataclass(frozen=True)
class Finding:
    """A vulnerability of a package that is pinned."""

    where: str
    package: str
    known_as: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.package}: {self.known_as}; {self.remedy}"


def pins_of(requirements: str) -> list[tuple[str, str]]:
    """Return name and version of each pin.

    Examples
    --------
    >>> pins_of("# made by uv\\nnumpy==2.4.6 ; python_full_version < '3.12'\\n    # via pandas\\n")
    [('numpy', '2.4.6')]
    """
    return sorted(set(_PIN.findall(requirements)))


def of_python(pins: Sequence[tuple[str, str]], ask: Ask) -> list[Finding]:
    """Return what PyPI knows of each pin; those that were withdrawn are left out.

    Raises
    ------
    RegistryError
        If PyPI does not answer for one. The first is asked alone, so that a registry without this API is
        asked once.
    """
    first = [_of_release(name, version, ask) for name, version in pins[:1]]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        others = threads.map(lambda pin: _of_release(pin[0], pin[1], ask), pins[1:])
        return list(chain.from_iterable(chain(first, others)))


def of_node(folder: Path, audit: Callable[[Path], str]) -> list[Finding]:
    """Return what `npm audit` says of a folder's lock file.

    Raises
    ------
    RegistryError
        If the registry did not answer.
    """
    where = "package-lock.json" if folder == PROJECT else f"{folder.name}/package-lock.json"
    text = audit(folder)
    try:
        document = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except ValueError as error:
        raise RegistryError(f"npm did not answer for {where}: {text[:200]!r}") from error
    if "vulnerabilities" not in document:
        raise RegistryError(f"npm's registry did not answer for {where}: {document.get('message', document)}")
    vulnerable: dict[str, Any] = document["vulnerabilities"]
    return [
        Finding(where, f"{name} {each['range']}", f"{each['severity']}, {_titles(each)}", _npm_remedy(each))
        for name, each in sorted(vulnerable.items())
    ]


def audited(*parts: Callable[[], list[Finding]]) -> int:
    """Ask all, tell what was found and what could not be asked, and return the exit status."""
    found: list[Finding] = []
    silent: list[str] = []
    for part in parts:
        try:
            found += part()
        except RegistryError as error:  # noqa: PERF203  each is asked, whatever the others say
            silent.append(str(error))
    lines = [*map(str, found), *(f"not asked: {each}" for each in silent)]
    if found:
        lines.append(f"{len(found)} known: update what is pinned, or say in docs/security.md why it may stay")
    elif not silent:
        lines.append("no known vulnerability")
    sys.stdout.write("\n".join(lines) + "\n")
    return FOUND if found else NOT_ASKED if silent else 0


def _of_release(name: str, version: str, ask: Ask) -> list[Finding]:
    try:
        document = json.loads(ask(f"{PYPI}/{name}/{version}/json"))
        known = document["vulnerabilities"]
    except (OSError, URLError, ValueError, KeyError) as error:
        raise RegistryError(f"PyPI did not answer for {name} {version}: {error}") from error
    return [
        Finding(
            REQUIREMENTS.name,
            f"{name} {version}",
            "/".join([each["id"], *each.get("aliases", ())]),
            f"fixed in {', '.join(each.get('fixed_in') or ()) or 'no version'}",
        )
        for each in known
        if each.get("withdrawn") is None
    ]


def _titles(vulnerable: dict[str, Any]) -> str:
    return ", ".join(each if isinstance(each, str) else each["title"] for each in vulnerable["via"])


def _npm_remedy(vulnerable: dict[str, Any]) -> str:
    fix = vulnerable.get("fixAvailable")
    if isinstance(fix, dict):
        return f"fixed by {fix['name']} {fix['version']}"
    return "`npm audit fix`" if fix else "not fixed yet"


def _asked(url: str) -> bytes:
    with urlopen(url, timeout=SECONDS) as answer:  # noqa: S310  https, of a constant
        body: bytes = answer.read()
        return body


def _npm_audit(folder: Path) -> str:
    command = ["npm", "audit", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


if __name__ == "__main__":
    pins = pins_of(REQUIREMENTS.read_text())
    sys.exit(
        audited(
            lambda: of_python(pins, _asked),
            *(lambda folder=folder: of_node(folder, _npm_audit) for folder in NODE),
        )
    )
