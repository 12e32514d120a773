"""The demo of a table: what it fetches, asks and shows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import Console

from cli.backtest import read_labelled
from cli.datasets import DATASETS, Dataset, PackagedFile
from cli.demo.imported import IMPORTED
from cli.demo.regression import (
    fetched,
    history_file,
    importance_table,
    predict_first,
)
from cli.demo.report import boto3_lines
from cli.specs import anomaly_spec_of, spec_of
from cli.train import train
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import FraudWorkload, RegressionWorkload, load_workloads

ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15"


class FakeS3:
    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_paginator(self, name: str) -> FakeS3:
        assert name == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}, {}]

    def download_file(self, bucket: str, key: str, target: str) -> None:
        Path(target).write_bytes(self.objects[key])


class FakeRuntime:
    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.request = request
        return {"Body": io.BytesIO(b'{"predictions":[{"score":9.5}]}')}


class FakeSession:
    def __init__(self, client: Any) -> None:
        self._client = client

    def client(self, name: str) -> Any:
        return self._client


def session_with(client: Any) -> boto3.Session:
    return FakeSession(client)  # type: ignore[return-value]


def spec() -> RegressionWorkload:
    found = spec_of("abalone")
    assert isinstance(found, RegressionWorkload)
    return found


def test_every_shipped_workload_has_data_for_the_demo() -> None:
    shipped = load_workloads(Path(__file__).parents[3] / "workloads")
    # transactions are made by a world that goes on where the history ends: `cli.demo.transaction_files`
    assert set(DATASETS) - set(IMPORTED) == {
        spec.name for spec in shipped if not isinstance(spec, FraudWorkload)
    }


def test_history_has_a_name_that_tells_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "abalone.data"
    source.write_text(f"{ROW},15\n")
    monkeypatch.setattr("cli.demo.regression.located", lambda file: source)

    copied = history_file(Dataset(history=PackagedFile("p", "x", "y")), tmp_path / "demo")

    assert copied.name == "abalone.csv"
    assert copied.read_text() == source.read_text()


def test_everything_under_a_prefix_is_fetched_and_what_was_there_goes(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "old.txt").write_text("old")
    objects = {"runs/a/x/report.html": b"1", "runs/a/x/charts/bar.png": b"2", "runs/a/y/other": b"3"}

    count = fetched(session_with(FakeS3(objects)), "s3://bucket/runs/a/x/", tmp_path / "report")

    assert count == 2
    found = {
        path.relative_to(tmp_path / "report").as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert found == {"report.html", "charts/bar.png"}


def test_the_first_explained_row_is_asked_without_its_target(tmp_path: Path) -> None:
    rows, runtime = tmp_path / "rows.csv", FakeRuntime()
    rows.write_text(f"15.0,{ROW}\n7.0,{ROW}\n")

    prediction = predict_first(session_with(runtime), {"names": {"endpoint": "watchkeeper-abalone"}}, rows)

    assert runtime.request["Body"] == ROW.encode()
    assert (prediction.row, prediction.predicted, prediction.actual) == (ROW, 9.5, 15.0)
    assert ROW in boto3_lines("watchkeeper-abalone", prediction.row)


def test_importance_is_shown_with_its_share() -> None:
    console = Console(file=io.StringIO(), width=100)

    console.print(importance_table({"weight": 3.0, "sex": 1.0}))

    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "75%" in shown
    assert shown.index("weight") < shown.index("sex")


def test_a_file_to_backtest_is_read_as_training_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text(f"{ROW},15\nM,1\n{ROW},old\n")

    rows, refused = read_labelled(spec().plan(), file)

    assert rows == [(15.0, ROW)]
    assert (refused.read, refused.accepted) == (3, 1)
    assert refused.refused == {"wrong_width": 1, "not_a_number": 1}
    assert refused.first_refusal == "some.csv, line 2: 2 cells, the header has 9 columns"
    with pytest.raises(InvalidInputError, match="no such file"):
        read_labelled(spec().plan(), tmp_path / "none.csv")


def test_verbs_of_telemetry_refuse_a_table_by_name() -> None:
    with pytest.raises(InvalidInputError, match="`replay` is for telemetry, and workload abalone is of kind"):
        anomaly_spec_of("abalone", "replay")


def test_the_plan_of_abalone_explains_from_the_held_back_rows() -> None:
    plan = spec().plan()

    assert plan.feature_names[0] == "sex"
    assert json.loads(plan.to_json())["explain"]["engine"] == "watchkeeper"


def test_labels_of_a_table_are_refused_before_anything_is_uploaded(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="--labels: workload abalone has none; its target is rings"):
        train("abalone", labels=tmp_path / "labels.json")
