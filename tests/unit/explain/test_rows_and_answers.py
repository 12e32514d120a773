"""Rows in, requests out; answers in, scores out."""

from __future__ import annotations

import doctest
import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from containers.explain.io import payloads as payloads_module
from containers.explain.io.answers import read_answer
from containers.explain.io.configuration import AnalysisConfiguration, read_configuration
from containers.explain.io.dataset import baseline_of_rows, read_baseline, read_dataset
from containers.explain.io.payloads import payloads
from containers.explain.io.predictor_settings import PredictorSettings
from containers.explain.shap.clusters import cluster_baseline
from watchkeeper.core.errors import ContractViolationError, InvalidInputError

HEADERS = ["Rings", "Sex", "Length", "id"]


def configuration(**changes: object) -> AnalysisConfiguration:
    return read_configuration(
        {
            "dataset_type": "text/csv",
            "headers": HEADERS,
            "label": "Rings",
            "joinsource_name_or_index": "id",
            "methods": {"shap": {}},
            **changes,
        }
    )


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_files_are_one_table_of_numbers_and_categories(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", b="9,F,0.5,x\n", a="Rings,Sex,Length,id\n7,M,0.25,y\n8,,,z\n")
    (folder / "c.csv.gz").write_bytes(gzip.compress(b'10,"F",1e-3,w\n'))

    found = read_dataset(folder, configuration())

    assert found.features == ("Sex", "Length")
    assert found.table["Rings"].tolist() == [7, 8, 9, 10]
    assert found.table["Rings"].dtype == np.int64
    assert found.table["Length"].fillna(-1.0).tolist() == [0.25, -1.0, 0.5, 0.001]
    assert found.table["Sex"].fillna("none").tolist() == ["M", "none", "F", "F"]
    assert found.table["id"].tolist() == ["y", "z", "x", "w"]


def test_columns_without_headers_are_named_as_clarify_names_them(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", a="1,2,3\n4,5,6\n")

    found = read_dataset(
        folder, configuration(headers=None, label=0, joinsource_name_or_index=None, excluded_columns=[1])
    )

    assert (found.label, found.features) == ("column_0", ("column_2",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,M,2\n", "a.csv, line 1: 3 cells, the header has 4 columns"),
        ("Rings,Sex,Length,id\n", "a.csv has no rows"),
        ("", "a.csv is empty"),
        ("Rings,Sex,Weight,Height\n7,M,2,x\n", "the header has no column 'Length'"),
        ("Rings,Sex,Length,Height\n7,M,2,x\n", "'Height'; the configuration has 'Rings', 'Sex'"),
        ("1,M,,x\n2,F,NA,y\n", "column 'Length' has not one value in 2 rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused_by_file_and_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_dataset(write(tmp_path / "data", a=text), configuration())


def test_data_that_are_no_table_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", a="1,M,2,x\n")
    (folder / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(InvalidInputError, match=r"b\.parquet: damaged Parquet"):
        read_dataset(folder, configuration())
    with pytest.raises(ContractViolationError, match="no file"):
        read_dataset(write(tmp_path / "empty"), configuration())


def test_baseline_takes_the_kinds_of_the_columns(tmp_path: Path) -> None:
    data = read_dataset(write(tmp_path / "data", a="1,M,2,x\n2,F,3,y\n"), configuration())
    file = tmp_path / "baseline.csv"
    file.write_text("Sex,Length\nM,2.5\n")

    assert baseline_of_rows([["F", 2.5], [None, 3]], data).fillna("?").to_numpy().tolist() == [
        ["F", 2.5],
        ["?", 3.0],
    ]
    assert read_baseline(file, data).to_numpy().tolist() == [["M", 2.5]]
    with pytest.raises(InvalidInputError, match="a row has 3 cells, there are 2 features: Sex, Length"):
        baseline_of_rows([["F", 2.5, 1]], data)
    with pytest.raises(InvalidInputError, match="Length is a column of numbers, and the baseline has 'long'"):
        baseline_of_rows([["F", "long"]], data)


ROWS = pd.DataFrame({"Sex": ["M", 'a "b", c', None], "Length": [0.1, np.nan, 3.0], "n": [1, 2, 3]})


def requests(settings: PredictorSettings, max_rows: int = 2) -> list[tuple[str, int]]:
    return [
        (body.decode(), count) for body, count in payloads(ROWS, settings, max_rows=max_rows, max_bytes=1_000)
    ]


def test_requests_hold_the_rows_in_order() -> None:
    lines = "application/jsonlines", '{"x": $features}'
    json_rows = "application/json", '{"instances": $records}'

    assert requests(PredictorSettings()) == [('M,0.1,1\n"a ""b"", c",,2', 2), (",3.0,3", 1)]
    assert requests(PredictorSettings(content_type=lines[0], content_template=lines[1])) == [
        ('{"x": ["M", 0.1, 1]}\n{"x": ["a \\"b\\", c", null, 2]}', 2),
        ('{"x": [null, 3.0, 3]}', 1),
    ]
    found = requests(
        PredictorSettings(
            content_type=json_rows[0], content_template=json_rows[1], record_template="$features_kvp"
        )
    )
    assert json.loads(found[0][0]) == {
        "instances": [{"Sex": "M", "Length": 0.1, "n": 1}, {"Sex": 'a "b", c', "Length": None, "n": 2}]
    }
    single = PredictorSettings(
        content_type="application/json",
        content_template="$record",
        record_template='{"names": $feature_names}',
    )
    assert requests(single) == [('{"names": ["Sex", "Length", "n"]}', 1)] * 3


def test_request_is_no_larger_than_allowed() -> None:
    bodies = list(payloads(ROWS, PredictorSettings(), max_rows=100, max_bytes=24))

    assert [count for _, count in bodies] == [2, 1]
    assert all(len(body) <= 24 for body, _ in bodies)


def test_examples_in_docstrings_run() -> None:
    from containers.explain.report import numbers

    for module in (payloads_module, numbers):
        result = doctest.testmod(module)
        assert result.attempted >= 3
        assert result.failed == 0


JSON, LINES = "application/json", "application/jsonlines"


@pytest.mark.parametrize(
    ("settings", "body", "scores", "labels"),
    [
        ({}, "1.5\n2", [[1.5], [2.0]], None),
        ({}, "0.1,0.9\n0.8,0.2\n", [[0.1, 0.9], [0.8, 0.2]], None),
        (
            {"label": 0, "probability": 1},
            'a,"[0.1, 0.9]"\nb,"[0.7, 0.3]"',
            [[0.1, 0.9], [0.7, 0.3]],
            ["a", "b"],
        ),
        ({"accept_type": LINES}, "1.5\n2", [[1.5], [2.0]], None),
        ({"accept_type": LINES, "label": "score"}, '{"score": 1.5}\n{"score": 2}', [[1.5], [2.0]], None),
        (
            {"accept_type": LINES, "label": "l", "probability": "p"},
            '{"l": "a", "p": "[0.1, 0.9]"}\n{"l": "b", "p": [0.6, 0.4]}',
            [[0.1, 0.9], [0.6, 0.4]],
            ["a", "b"],
        ),
        ({"accept_type": JSON}, "[1.5, 2]", [[1.5], [2.0]], None),
        (
            {"accept_type": JSON, "label": "predictions[*].score"},
            '{"predictions": [{"score": 1.5}, {"score": 2}]}',
            [[1.5], [2.0]],
            None,
        ),
    ],
)
def test_scores_and_labels_are_found_where_the_configuration_says(
    settings: dict[str, object], body: str, scores: list[list[float]], labels: list[str] | None
) -> None:
    found = read_answer(body.encode(), 2, PredictorSettings(**settings))  # type: ignore[arg-type]

    assert found.scores.tolist() == scores
    assert (None if found.labels is None else found.labels.tolist()) == labels


@pytest.mark.parametrize(
    ("settings", "body", "said"),
    [
        ({}, "1.5", "has 1 records, 2 were sent"),
        ({}, "a\nb", "say where they are in predictor.probability or predictor.label"),
        ({}, "nan\n1", "a score that is not finite"),
        ({"probability": 3}, "1\n2", "predictor.probability: a row has no cell 3"),
        ({"accept_type": LINES, "label": "x"}, '{"y": 1}\n{"y": 2}', "predictor.label: 'x' finds nothing"),
        (
            {"accept_type": JSON},
            '{"predictions": [1, 2]}',
            "say where the list is: an object with predictions",
        ),
        ({"accept_type": JSON}, "<html>", "cannot be read as application/json"),
        ({"accept_type": JSON, "label": "a["}, "[1, 2]", "'a\\[' is not a JMESPath"),
    ],
)
def test_answer_that_is_not_as_configured_is_shown_with_the_key(
    settings: dict[str, object], body: str, said: str
) -> None:
    with pytest.raises(ContractViolationError, match=said) as caught:
        read_answer(body.encode(), 2, PredictorSettings(**settings))  # type: ignore[arg-type]

    assert repr(body) in str(caught.value)


def test_clusters_are_middles_of_what_is_alike() -> None:
    small, large = np.linspace(0.9, 1.1, 20), np.linspace(9.0, 9.1, 20)
    rows = pd.DataFrame({"size": [*small, *large, np.nan], "kind": [*("aab" * 7)[:20], *("c" * 21)]}).astype(
        {"kind": object}
    )

    found = cluster_baseline(rows, 2, seed=0).sort_values("size")
    chosen = cluster_baseline(rows, None, seed=0)

    assert found["size"].tolist() == pytest.approx([1.0, 9.05])
    assert found["kind"].tolist() == ["a", "c"]
    assert 2 <= len(chosen) <= 12
    assert len(cluster_baseline(rows[:1], 4, seed=0)) == 1


def test_rows_without_structure_are_one_cluster() -> None:
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 6)), columns=list("abcdef"))

    found = cluster_baseline(rows, None, seed=0)

    assert len(found) == 1
    assert found.iloc[0].tolist() == pytest.approx(rows.mean().tolist())
