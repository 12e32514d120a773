"""An object of the laptop's S3 whose write was interrupted is whole after the next start."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from localcloud.s3 import mend

OLD = {"size": 3, "etag": '"old"', "checksums": {"CRC32": "x"}, "key": "pages/a", "metadata": {"x": "1"}}


def stored(folder: Path, *, body_seconds: int, **changes: object) -> Path:
    body = folder / "123456789012" / "bucket" / "pages" / "a"
    body.parent.mkdir(parents=True)
    body.write_bytes(b"newer")
    sidecar = body.with_name("a.meta.json")
    sidecar.write_text(json.dumps({**OLD, **changes}))
    os.utime(sidecar, (1000, 1000))
    os.utime(body, (body_seconds, body_seconds))
    return sidecar


def test_object_whose_body_is_newer_than_what_is_said_of_it_is_whole_again(tmp_path: Path) -> None:
    sidecar = stored(tmp_path, body_seconds=1001)

    assert mend(tmp_path) == 1

    said = json.loads(sidecar.read_text())
    etag = '"0c10f4a0c12ba89211235026b861263d"'
    assert said == {**OLD, "size": 5, "etag": etag, "checksums": {}}
    assert mend(tmp_path) == 0


@pytest.mark.parametrize(
    ("body_seconds", "changes"), [(1000, {}), (999, {}), (1001, {"is_delete_marker": True})]
)
def test_what_was_written_to_its_end_stays(
    tmp_path: Path, body_seconds: int, changes: dict[str, object]
) -> None:
    sidecar = stored(tmp_path, body_seconds=body_seconds, **changes)

    assert mend(tmp_path) == 0
    assert json.loads(sidecar.read_text()) == {**OLD, **changes}


def test_a_home_without_objects_has_nothing_to_mend(tmp_path: Path) -> None:
    assert mend(tmp_path / "s3") == 0
