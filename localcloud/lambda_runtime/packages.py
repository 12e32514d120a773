"""What a function finds on disk: its code, its layers, and what AWS's Python runtime provides."""

import hashlib
import io
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

# What public.ecr.aws/lambda/python has beside the standard library.
PROVIDED = ("awslambdaric", "boto3")


class PackageStore:
    """Extracted deployment packages, one folder a content hash, never changed once it is there.

    Parameters
    ----------
    root
        Folder of the store; made when absent.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._extracted: dict[str, Path] = {}
        self._runtime: Path | None = None
        root.mkdir(parents=True, exist_ok=True)

    def extract(self, archive: bytes, checksum: str | None = None) -> Path:
        """Extract a zip once and return its folder.

        Parameters
        ----------
        archive
            The zip file.
        checksum
            What the caller knows it by, to save hashing it for each invocation.

        Raises
        ------
        zipfile.BadZipFile
            When the archive is not a zip file.
        """
        if checksum is not None and checksum in self._extracted:
            return self._extracted[checksum]
        target = self._root / hashlib.sha256(archive).hexdigest()[:32]
        if not target.exists():
            self._unpack(archive, target)
        if checksum is not None:
            self._extracted[checksum] = target
        return target

    def _unpack(self, archive: bytes, target: Path) -> None:
        partial = Path(tempfile.mkdtemp(dir=self._root, prefix="partial-"))
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
                bundle.extractall(partial)
            self._publish(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def runtime(self) -> Path:
        """Folder with links to the distributions of `PROVIDED` and what they need, and to nothing else.

        A function that forgot to bundle a library fails here as it fails on AWS, though the library is
        installed for the local cloud.
        """
        if self._runtime is None:
            self._runtime = self._link_runtime()
        return self._runtime

    def _link_runtime(self) -> Path:
        distributions = sorted(_closure(PROVIDED), key=lambda found: found.name)
        pins = ",".join(f"{found.name}=={found.version}" for found in distributions)
        target = self._root / f"runtime-{hashlib.sha256(pins.encode()).hexdigest()[:16]}"
        if target.exists():
            return target
        partial = Path(tempfile.mkdtemp(dir=self._root, prefix="partial-"))
        try:
            for distribution in distributions:
                for name in _top_level(distribution):
                    link = partial / name
                    if not link.exists():
                        link.symlink_to(Path(str(distribution.locate_file(name))).resolve())
            self._publish(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return target

    @staticmethod
    def _publish(partial: Path, target: Path) -> None:
        try:
            partial.rename(target)
        except OSError:
            if not target.exists():  # another thread was first is fine; anything else is not
                raise


def _closure(names: Iterable[str]) -> set[metadata.Distribution]:
    found: dict[str, metadata.Distribution] = {}
    pending = list(names)
    while pending:
        name = pending.pop().lower().replace("_", "-")
        if name in found:
            continue
        distribution = metadata.distribution(name)
        found[name] = distribution
        for requirement in distribution.requires or ():
            if "extra ==" in requirement or "extra==" in requirement:
                continue
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            if match:
                pending.append(match.group())
    return set(found.values())


def _top_level(distribution: metadata.Distribution) -> set[str]:
    tops = {path.parts[0] for path in distribution.files or () if path.parts[0] != ".."}
    return {top for top in tops if top not in {"__pycache__", os.curdir}}
