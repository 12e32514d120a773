"""Documents that travel between parts: events, releases, manifests, plans, runs."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

import watchkeeper
from watchkeeper.anomalies.event import AnomalyEvent, alert_subject, alert_text, anomaly_id
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import AlertPlan, AlertRoute, FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.features.contributions import Contribution, Explainer, Explanation
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import Threshold
from watchkeeper.lifecycle import manifest
from watchkeeper.lifecycle.manifest import ArtifactManifest
from watchkeeper.lifecycle.release import Release, live_key, release_key

PLAN = WorkloadPlan(
    "air",
    TimestampPlan("t"),
    (MeasurePlan("co", "CO"),),
    300,
    dimensions=("hall",),
    alerts=AlertPlan((AlertRoute("operators"),)),
)
EVENT = AnomalyEvent(
    workload="air",
    series="co|hall=a%7Cb",
    interval_start="2024-05-17T12:00:00Z",
    interval_seconds=300,
    observed=5.0,
    expected=2.5,
    lower=1.0,
    upper=4.0,
    score=3.2,
    threshold=1.5,
    severity=91.4,
    run_id="1",
    execution_arn="arn:aws:states:us-east-1:123456789012:execution:m:1",
    model_package_arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/air/3",
    contributions=(
        Contribution("value", "co", 0, 2.0),
        Contribution("difference", "co", 0, 1.1),
        Contribution("value", "co", 2, 0.1),
    ),
    explanation=Explanation("forest", rank_agreement=0.95, surrogate_score=3.0),
    also_anomalous={"no2": 83.2, "so2": 71.0},
)
RELEASE = Release(
    workload="air",
    run_id="1",
    execution_arn="arn",
    endpoint="watchkeeper-air",
    endpoint_config="config",
    model="model",
    model_package_arn="package",
    threshold=Threshold("mean_sigma", 1.5, {"k": 3.0}, 10),
    severity=fit_severity([0.1, 0.5, 0.2], 1.5),
    step_scales={"co|hall=a": 1.0, "co|hall=b": 3.0},
    probe_row="2024-05-17T12:00:00Z,co|hall=a,5.0",
    probe_score=3.2,
    metrics={"f1": 0.5},
    released_at="2024-05-17T12:00:00Z",
    explainer=Explainer("forest", "s3://bucket/runs/air/1/evaluation/surrogate.bin", 0.95, 2000),
)


def test_an_anomaly_is_the_same_whenever_its_interval_is_scored() -> None:
    again = dataclasses.replace(EVENT, score=9.9, severity=99.0, run_id="2")

    assert again.anomaly_id == EVENT.anomaly_id == anomaly_id("air", EVENT.series, EVENT.interval_start)
    assert dataclasses.replace(EVENT, series="co|hall=c").anomaly_id != EVENT.anomaly_id
    assert EVENT.sort_key == f"2024-05-17T12:00:00Z#{EVENT.anomaly_id}"


def test_an_event_survives_the_bus() -> None:
    assert AnomalyEvent.from_json(EVENT.to_json()) == EVENT
    assert json.loads(EVENT.to_json())["anomaly_id"] == EVENT.anomaly_id


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}'])
def test_refuses_what_is_no_event(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        AnomalyEvent.from_json(text)

    assert refused.value.reason == "bad_event"


def test_an_event_of_the_first_version_is_read_as_not_explained() -> None:
    old = {**json.loads(EVENT.to_json()), "version": 1, "contributions": {}}
    for name in ("explanation", "also_anomalous"):
        del old[name]

    read = AnomalyEvent.from_json(json.dumps(old))

    assert read.contributions == ()
    assert "did not explain" in str(read.explanation.reason)
    assert AnomalyEvent.from_json(read.to_json()) == read


def test_an_alert_says_what_where_when_and_how_much() -> None:
    text = alert_text(EVENT)

    for part in ("co", "hall: a|b", "2024-05-17 12:00 to 12:05 UTC", "Observed:  5", "1 to 4"):
        assert part in text
    for part in ("3.2, threshold 1.5", "91 of 100", EVENT.anomaly_id):
        assert part in text
    assert "Because:   co now 62 %, change of co now 34 %, co 10 minutes earlier 3 %" in text
    assert "Also:      no2 (severity 83), so2 (severity 71)" in text


def test_an_alert_tells_times_in_the_zone_of_the_source_with_utc_beside_it() -> None:
    text = alert_text(EVENT, "Europe/Berlin")

    assert "Interval:  2024-05-17 14:00 to 14:05 CEST (12:00 to 12:05 UTC)" in text


def test_an_alert_says_why_it_is_not_explained_or_only_roughly() -> None:
    silent = dataclasses.replace(EVENT, contributions=(), explanation=Explanation("none", reason="no forest"))
    rough = dataclasses.replace(EVENT, explanation=Explanation("forest", rank_agreement=0.4))

    assert "Because:   not known (no forest)" in alert_text(silent)
    assert "Roughly:   co now 62 %" in alert_text(rough)


def test_an_alert_of_a_value_inside_its_band_says_why_it_is_one() -> None:
    inside = dataclasses.replace(EVENT, observed=3.0)
    shape = dataclasses.replace(inside, contributions=(Contribution("pattern", "co", 0, 3.2),))

    assert "Inside its usual range; by its level: unusual after the values before" in alert_text(inside)
    assert "by its shape: the last intervals look different" in alert_text(shape)
    unknown = dataclasses.replace(inside, contributions=(), explanation=Explanation("none", reason="x"))
    assert "Inside its usual range; why is not known" in alert_text(unknown)
    assert "Inside" not in alert_text(EVENT)


def test_an_alert_without_an_expectation_has_no_such_line() -> None:
    unknown = dataclasses.replace(EVENT, expected=None, lower=None, upper=None)

    assert "Expected" not in alert_text(unknown)


def test_a_subject_is_one_ascii_line_of_at_most_a_hundred_characters() -> None:
    subject = alert_subject(dataclasses.replace(EVENT, series="co|hall=Zürich " + "x" * 200))

    assert len(subject) == 100
    assert subject.isascii()
    assert subject.isprintable()


def test_a_release_has_its_place_in_the_table() -> None:
    assert release_key("air", "run-1") == {"pk": "release#air", "sk": "run-1"}
    assert live_key("air") == {"pk": "release#air", "sk": "LIVE"}


def test_a_release_of_older_software_explains_nothing() -> None:
    old = json.loads(RELEASE.to_json())
    del old["explainer"]

    assert Release.from_json(json.dumps(old)).explainer == Explainer("none")


def test_an_unknown_series_has_the_step_scale_of_its_measure() -> None:
    assert RELEASE.step_scale("co|hall=b") == 3.0
    assert RELEASE.step_scale("co|hall=new") == 2.0


def artifact(plan: WorkloadPlan = PLAN) -> ArtifactManifest:
    return ArtifactManifest.of(
        plan, training_start="2024-05-01T00:00:00Z", training_end="2024-05-17T00:00:00Z", n_rows=4608
    )


def test_a_manifest_survives_its_file_and_fits_its_plan() -> None:
    manifest.check(ArtifactManifest.from_json(artifact().to_json()), PLAN)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (artifact(dataclasses.replace(PLAN, workload="water")), "workload water"),
        (artifact(dataclasses.replace(PLAN, features=FeaturePlan(shingle=2))), "train again"),
        (dataclasses.replace(artifact(), package_version="9.9.9"), "watchkeeper 9.9.9"),
    ],
)
def test_serving_refuses_an_artifact_that_does_not_fit(other: ArtifactManifest, message: str) -> None:
    with pytest.raises(ContractViolationError, match=message):
        manifest.check(other, PLAN)


def test_a_patch_release_may_serve_an_older_artifact() -> None:
    major, minor, patch = artifact().package_version.split(".")

    manifest.check(dataclasses.replace(artifact(), package_version=f"{major}.{minor}.{int(patch) + 1}"), PLAN)


NUMPY_MODULES = (
    "features/correlation",
    "features/matrix",
    "detectors/",
    "judgement/accuracy",
    "judgement/parts",
    "telemetry/columns",
    "backtest/",
    "stream/",
    *(f"fraud/{name}" for name in ("ego", "features", "generator", "history", "measures", "memory")),
    *(f"fraud/{name}" for name in ("simulation", "split", "table", "thresholds")),
    "charts/",
    "command/",
    "importing/",
    "spec/d",
    "spec/tuning",
)


def test_only_the_features_need_numpy() -> None:
    package = Path(watchkeeper.__file__).parent
    paths = [path.relative_to(package).with_suffix("") for path in package.rglob("*.py")]
    modules = ["detectors.forest.surrogate"]
    modules += [
        ".".join(path.parts)
        for path in sorted(paths)
        if path.name != "__init__" and not path.as_posix().startswith(NUMPY_MODULES)
    ]
    program = "import importlib, sys; sys.modules['numpy'] = None\n" + "".join(
        f"importlib.import_module('watchkeeper.{module}')\n" for module in modules
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert len(modules) > 15
