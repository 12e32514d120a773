"""The functions of the attribution drift monitor."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from lambdas.adapters.object_store import ObjectUri
from lambdas.steps.collect_captures import MAX_OBJECTS, CollectingEffects, collect, hour_prefixes, spread
from lambdas.steps.publish_drift import publish
from tests.unit.lambdas.builders import BUCKET, make_release
from tests.unit.lambdas.fakes import FakeObjectStore, FakeReleaseStore
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.drift import DriftReport
from watchkeeper.regression.plan import ColumnPlan, RegressionPlan
from watchkeeper.regression.release import RegressionRelease

Json = dict[str, Any]
NOW = datetime(2024, 1, 2, 12, 30, tzinfo=timezone.utc)
RUN_ID = "20240101000000-abcdef"
PLAN = RegressionPlan("press", "wear", (ColumnPlan("force", "numeric"), ColumnPlan("line", "one_hot")))
PAYLOAD = {
    "workload": "press",
    "execution_arn": "arn:aws:states:us-east-1:123456789012:execution:drift:1",
    "started_at": "2024-01-02T12:30:00Z",
    "window_seconds": 86_400,
    "ndcg_at_least": 0.9,
    "rows": 20,
    "minimum_rows": 5,
}
CONFIGURATION = {
    "dataset_type": "text/csv",
    "headers": ["wear", "force", "line"],
    "label": "wear",
    "methods": {"shap": {"agg_method": "mean_abs"}},
    "predictor": {"content_type": "text/csv"},
}


def release(**changes: Any) -> RegressionRelease:
    values: dict[str, Any] = {
        "workload": "press",
        "run_id": RUN_ID,
        "execution_arn": "arn",
        "endpoint": "watchkeeper-press",
        "endpoint_config": "config",
        "model": "model",
        "model_package_arn": "package",
        "schema_hash": "h",
        "metrics": {},
        "explanations": f"s3://{BUCKET}/runs/press/{RUN_ID}/explain/output/",
        "released_at": "2024-01-01T00:00:00Z",
        **changes,
    }
    return RegressionRelease(**values)


def effects_of(live: Any = None) -> CollectingEffects:
    objects, releases = FakeObjectStore(), FakeReleaseStore()
    if live is not None:
        releases.pointers["press"] = (live, None)
    root = f"runs/press/{RUN_ID}/"
    objects.objects[ObjectUri(BUCKET, f"{root}plan.json")] = PLAN.to_json().encode()
    objects.objects[ObjectUri(BUCKET, f"{root}explain/config/analysis_config.json")] = json.dumps(
        CONFIGURATION
    ).encode()
    return CollectingEffects(BUCKET, objects, releases)


def capture(effects: CollectingEffects, at: datetime, rows: list[str], name: str = "a") -> None:
    document = {
        "captureData": {
            "endpointInput": {"observedContentType": "text/csv", "data": "\n".join(rows), "encoding": "CSV"}
        },
        "eventMetadata": {"eventId": f"{name}-{at:%d%H%M}", "inferenceTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"},
    }
    key = f"captures/press/watchkeeper-press/primary/{at:%Y/%m/%d/%H}/{at:%M}-{name}.jsonl"
    effects.objects.write(ObjectUri(BUCKET, key), json.dumps(document).encode() + b"\n")


def report_of(effects: CollectingEffects, result: dict[str, Any]) -> DriftReport:
    body = effects.objects.read(ObjectUri.parse(result["run"]["uris"]["draft"]))
    assert body is not None
    return DriftReport.from_json(body)


def test_sampled_rows_are_written_with_the_configuration_of_the_training() -> None:
    effects = effects_of(release())
    for hour in range(30):
        capture(effects, NOW - timedelta(hours=hour + 0.5), [f"{hour}.5,a", f"{hour},b"])

    result = collect(PAYLOAD, effects)

    uris = result["run"]["uris"]
    rows = (effects.objects.read(ObjectUri.parse(f"{uris['rows']}rows.csv")) or b"").decode().splitlines()
    report = report_of(effects, result)
    assert result["compare"]
    assert len(rows) == len(set(rows)) == report.rows == 20
    assert (report.rows_captured, report.run_id, report.status) == (48, RUN_ID, "to_compare")
    assert all(float(row.split(",")[0]) < 24 for row in rows)
    assert result["report_uri"] == f"{uris['result']}drift.json"
    configuration = json.loads(
        effects.objects.read(ObjectUri.parse(f"{uris['config']}analysis_config.json")) or b""
    )
    assert configuration["headers"] == ["force", "line"]
    assert configuration["methods"]["shap"]["baseline"].endswith("explanations_shap/baseline.csv")


def test_collecting_again_gives_the_same() -> None:
    effects = effects_of(release())
    for minute in range(40):
        capture(effects, NOW - timedelta(minutes=minute + 1), [f"{minute},a"])

    first = collect(PAYLOAD, effects)
    written = dict(effects.objects.objects)  # type: ignore[attr-defined]

    assert collect(PAYLOAD, effects) == first
    assert effects.objects.objects == written  # type: ignore[attr-defined]


def test_rows_that_the_model_would_refuse_are_counted_and_not_explained() -> None:
    effects = effects_of(release())
    capture(effects, NOW - timedelta(hours=1), ["1,a", "x,a", "1,a,2", "2,b", "3,c", "4,d", "5,e"])
    effects.objects.write(
        ObjectUri(BUCKET, f"captures/press/watchkeeper-press/primary/{NOW:%Y/%m/%d/%H}/b.jsonl"), b"{\n"
    )

    report = report_of(effects, collect(PAYLOAD, effects))

    assert (report.rows_captured, report.rows_unreadable, report.objects_read) == (5, 3, 2)


@pytest.mark.parametrize(
    ("live", "status"),
    [
        (None, "no_model"),
        (make_release(), "no_model"),
        (release(explanations=""), "no_baseline"),
        (release(), "too_few_rows"),
    ],
)
def test_nothing_is_compared_where_there_is_nothing_to_compare(live: Any, status: str) -> None:
    effects = effects_of(live)
    capture(effects, NOW - timedelta(hours=1), ["1,a", "2,b"])

    result = collect(PAYLOAD, effects)

    assert not result["compare"]
    assert result["report_uri"] == result["run"]["uris"]["draft"]
    assert report_of(effects, result).status == status


def test_a_missing_plan_of_the_training_run_is_a_contract_violation() -> None:
    effects = effects_of(release(run_id="20240101000000-other0"))

    with pytest.raises(ContractViolationError, match=r"plan\.json does not exist"):
        collect(PAYLOAD, effects)


def test_hours_cover_the_window_and_the_hour_after_it() -> None:
    prefixes = list(hour_prefixes("press", NOW - timedelta(hours=2), NOW))

    assert [prefix[-3:-1] for prefix in prefixes] == ["10", "11", "12", "13"]
    assert prefixes[0] == "captures/press/watchkeeper-press/primary/2024/01/02/10/"


def test_of_many_objects_those_read_are_spread_evenly() -> None:
    keys = [f"{number:04d}" for number in range(4 * MAX_OBJECTS)]

    assert spread(keys, MAX_OBJECTS) == keys[::4]
    assert spread(keys[:3], MAX_OBJECTS) == keys[:3]


def published(
    report: DriftReport, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    objects = FakeObjectStore()
    objects.objects[ObjectUri(BUCKET, "drift.json")] = report.to_json().encode()
    result = publish({"report_uri": f"s3://{BUCKET}/drift.json"}, objects)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return result, next(line for line in lines if "_aws" in line)


REPORT = DriftReport(
    "press", "to_compare", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 0.9, 5, rows_captured=70
)


def test_comparison_becomes_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    result, metric = published(REPORT.compared(0.7, {"a": 1.0}, {"a": 1.0}), capsys)

    assert result["status"] == "drifted"
    assert "0.700" in result["summary"]
    assert metric["attribution_ndcg"] == [0.7]
    assert metric["attribution_rows"] == [70.0]
    assert (metric["workload"], metric["service"]) == ("press", "publish_drift")


def test_too_few_rows_give_no_ndcg_and_so_no_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    few = DriftReport("press", "too_few_rows", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 0.9, 5)

    result, metric = published(few, capsys)

    assert result["status"] == "too_few_rows"
    assert "attribution_ndcg" not in metric
    assert metric["attribution_rows"] == [0.0]


def test_a_report_that_was_not_compared_is_not_published() -> None:
    objects = FakeObjectStore()
    objects.objects[ObjectUri(BUCKET, "drift.json")] = REPORT.to_json().encode()
    effects = objects

    with pytest.raises(ContractViolationError, match="was not compared"):
        publish({"report_uri": f"s3://{BUCKET}/drift.json"}, effects)
    with pytest.raises(ContractViolationError, match="does not exist"):
        publish({"report_uri": f"s3://{BUCKET}/other.json"}, effects)
