"""Archives that are the same bytes for the same files: what `pipeline.packaging` packs for whom."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

SMALL, FAST = 6, 1
"""Levels of compression; the second one where the first `make demo` of a clone waits for many wheels."""
EARLIEST_DATE = 315_532_800
"""1980-01-01: zip files know no earlier date."""


def write_wheel(sources: Mapping[str, Path], wheel: Path, name: str, version: str) -> None:
    """Write a wheel of pure Python."""
    about = f"{name}-{version}.dist-info"
    written = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents: dict[str, Path | bytes] = {
        **sources,
        **{f"{about}/{file}": text.encode() for file, text in written.items()},
    }
    record = "".join(f"{file},,\n" for file in [*sorted(contents), f"{about}/RECORD"])
    add_to_zip({**contents, f"{about}/RECORD": record.encode()}, wheel)


def add_to_zip(contents: Mapping[str, Path | bytes], file: Path, level: int = SMALL) -> None:
    """Add files to a `.zip`, which is made where there is none."""
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(contents.items()):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            whole = content if isinstance(content, bytes) else content.read_bytes()
            archive.writestr(member, whole, compresslevel=level)


def write_archive(sources: Mapping[str, Path], archive: Path, packages: Sequence[Path]) -> None:
    """Write a `.tar.gz` of packages that are compressed already, and of our own files behind them.

    A gzip file may have several members, which unpack to one stream.
    """
    with archive.open("wb") as raw:
        for part in packages:
            raw.write(part.read_bytes())
        with _member(sources, raw, SMALL) as tar:
            tar.close()


def write_beginning(level: int, files: Mapping[str, Path], part: Path) -> None:
    """Write files as the beginning of a `.tar.gz`; what ends it comes with the files of `write_archive`."""
    with part.open("wb") as raw, _member(files, raw, level):
        pass


@contextmanager
def _member(files: Mapping[str, Path], raw: IO[bytes], level: int) -> Iterator[tarfile.TarFile]:
    """Write a tar file as a member of a gzip file; it has an end where it is closed."""
    with gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=raw, mtime=0) as packed:
        tar = tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        for name, file in sorted(files.items()):
            content = file.read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), 0o644, EARLIEST_DATE
            tar.addfile(member, io.BytesIO(content))
        yield tar
