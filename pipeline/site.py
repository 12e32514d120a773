"""The console's site: what `make setup` builds of `web/`, and whether that is of the sources as they are."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from watchkeeper.core.errors import UnavailableError

WEB = Path(__file__).resolve().parent.parent / "web"
BUILT = "dist/.built"
"""Has the digest of the sources that the site was built of."""

_SOURCES = ("src", "public")
_FILES = ("index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json")


def sources_digest(web: Path = WEB) -> str:
    """Return a hash of all that the built site depends on."""
    files = [web / name for name in _FILES]
    found = [path for name in _SOURCES for path in sorted((web / name).rglob("*")) if path.is_file()]
    files += [path for path in found if not path.name.endswith(".d.ts")]  # types; some are generated
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(web).as_posix()}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def built_site(web: Path = WEB) -> Path:
    """Return the folder of the built site.

    Raises
    ------
    UnavailableError
        If it is not there, or of other sources.
    """
    record = web / BUILT
    if not record.is_file():
        raise UnavailableError(
            f"the console's site is not built ({record} is missing): run `make setup`, or leave the console "
            'out: `"console": "off"` in cdk.json'
        )
    if record.read_text().strip() != sources_digest(web):
        raise UnavailableError(
            f"the console's site in {record.parent} was built of other sources: run `make setup`"
        )
    return record.parent


if __name__ == "__main__":
    sys.stdout.write(f"{sources_digest()}\n")
