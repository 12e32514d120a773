from __future__ import annotations

from pathlib import Path

import pytest

from containers.runtime.processing import read_scores
from watchkeeper.core.errors import ContractViolationError


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "rows.csv.out").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        '{"score":1.5}\n{"score":2}\n',
        '{"score":1.5},\n\n{"score":2.0},',
        '{"scores":[{"score":1.5},{"score":2.0}]}',
    ],
)
def test_reads_every_form_that_the_algorithm_answers_in(tmp_path: Path, text: str) -> None:
    assert read_scores(write(tmp_path, text), 2) == [1.5, 2.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"score":1}\n', "has 1 scores for 2 rows"),
        ('{"score":1}\n{"score":2}\n{"score":3}\n', "has 3 scores for 2 rows"),
        ('{"score":1}\n1.5\n', "line 2: expected"),
        ('{"score":1}\nnot json\n', "line 2: expected"),
        ('{"score":1}\n{"score":NaN}\n', "line 2: nan is not a score"),
        ('{"score":1}\n{"score":-1}\n', "row 2: -1.0 is not an anomaly_score"),
        ('{"score":null}\n', "line 1: expected"),
    ],
)
def test_refuses_what_is_not_one_score_a_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ContractViolationError, match=said):
        read_scores(write(tmp_path, text), 2)


def test_refuses_a_folder_without_answers(tmp_path: Path) -> None:
    with pytest.raises(ContractViolationError, match=r"one file \*.out is needed, found: none"):
        read_scores(tmp_path, 2)
