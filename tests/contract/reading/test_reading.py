from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.reading.readers import READERS, Reader
from tests.contract.reading.situations import SITUATIONS, Situation
from watchkeeper.core.errors import InvalidInputError

SCREEN = 800
PYTHONS_OWN = (
    "Traceback",
    "Error(",
    "codec can't",
    "time data",
    "Expecting ",
    "could not convert",
    "unpack (",
)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_every_reader_says_what_is_right(reader: Reader, situation: Situation, tmp_path: Path) -> None:
    path = tmp_path / situation.file
    path.write_bytes(situation.content)
    right = situation.unless.get(reader.kind, situation.unless.get(reader.like, situation.right))

    if isinstance(right, int):
        assert reader.read(path) in (right, None)
        return
    with pytest.raises(InvalidInputError) as refused:
        reader.read(path)
    message = str(refused.value)
    assert right in message
    if reader.kind not in ("features", "labels"):  # their request names the file by its field
        assert situation.file in message
    assert len(message) < SCREEN
    assert not any(words in message for words in PYTHONS_OWN)
