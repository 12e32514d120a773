"""What a spec means, and which values it takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.unit.workloads.conftest import GOOD
from watchkeeper.core.plan import (
    AlertRoute,
    DetectorPlan,
    FeaturePlan,
    MeasurePlan,
    MeasureRules,
    MutePlan,
    SeriesSelection,
    SilencePlan,
    SplitPlan,
    ThresholdPlan,
    WorkloadPlan,
)
from watchkeeper.kinds import plan_from_json
from watchkeeper.spec import WorkloadSpec, WorkloadSpecError, load_workload, load_workloads
from watchkeeper.spec.fields import Duration, duration_text
from watchkeeper.spec.schema import schema_text

WORKLOADS = Path(__file__).resolve().parents[3] / "workloads"
SCHEMA_PATH = WORKLOADS / "schema.json"
SHIPPED = sorted(WORKLOADS.glob("*.yaml"))

Load = Callable[..., WorkloadSpec]


def test_the_shipped_workloads_are_valid() -> None:
    assert [spec.name for spec in load_workloads(WORKLOADS)] == [
        "abalone",
        "air_quality",
        "card_fraud",
        "machine_temperature",
        "stock_volume",
        "water_flow",
    ]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_specs_fit_the_schema_that_their_first_line_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    jsonschema.validate(yaml.safe_load(text), json.loads(SCHEMA_PATH.read_text(encoding="utf-8")))
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")


def test_the_stored_schema_is_current() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text(), (
        "run: python -m watchkeeper.spec.schema > workloads/schema.json"
    )


def test_the_schema_refuses_what_the_types_refuse() -> None:
    schema = json.loads(schema_text())
    wrong = {"name": "Press", "kind": "anomaly", "intervall": "5 minutes"}

    messages = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(wrong)]

    assert any("'intervall' was unexpected" in message for message in messages)
    assert any("'source' is a required property" in message for message in messages)
    assert any("'Press' does not match" in message for message in messages)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_plan_of_a_spec_survives_its_parameter(path: Path) -> None:
    plan = load_workload(path).plan()

    assert plan_from_json(plan.to_json()) == plan
    assert len(plan.to_json()) < 4096, "a standard parameter holds 4 KB"


def test_every_key_of_the_detection_reaches_the_plan(load: Load) -> None:
    plan = load(
        """\
lateness: 10m
dimensions: [line]
max_gap_intervals: 5
history: {window: 60d, split: {train: 0.5, calibrate: 0.3}}
features: {shingle: 8, differences: false, time_of_day: true, day_of_week: true}
detector: {algorithm: rcf, hyperparameters: {num_trees: 200}}
threshold: {rule: quantile, quantile: 0.99}
gate: {max_alerts_per_week: 3, beat_baseline: false, beat_champion: false, tolerance: 0.1}
alerts: {throttle: 2h, routes: [{channel: ops, severity_at_least: 80}]}
"""
    ).plan()

    assert (plan.workload, plan.interval_seconds, plan.lateness_seconds) == ("press", 300, 600)
    assert plan.measures == (MeasurePlan("pressure", "pressure", "avg"),)
    assert (plan.dimensions, plan.max_gap_intervals, plan.history_seconds) == (("line",), 5, 60 * 86_400)
    assert plan.split == SplitPlan(0.5, 0.3)
    assert (plan.features.shingle, plan.features.differences, plan.features.day_of_week) == (8, False, True)
    assert plan.detector.hyperparameters == {"num_trees": 200, "num_samples_per_tree": 256}
    assert plan.threshold == ThresholdPlan("quantile", quantile=0.99)
    assert (plan.gate.max_alerts_per_week, plan.gate.beat_champion, plan.gate.tolerance) == (3, False, 0.1)
    assert (plan.alerts.throttle_seconds, plan.alerts.routes) == (7200, (AlertRoute("ops", 80.0),))


@pytest.mark.parametrize(
    ("written", "fill"),
    [
        ("aggregate: count", 0.0),
        ("aggregate: sum, missing: ignore", "ignore"),
        ("aggregate: max", "ignore"),
        ("missing: zero", 0.0),
        ("missing: previous", "previous"),
        ("missing: -3", -3.0),
    ],
)
def test_what_an_interval_without_readings_has_reaches_the_plan(
    load: Load, good: str, written: str, fill: float | str
) -> None:
    plan = load(text=good.replace("name: pressure", f"name: pressure, {written}")).plan()

    assert WorkloadPlan.from_json(plan.to_json()).measures[0].fill == fill


def test_what_is_left_out_or_muted_reaches_the_plan(load: Load) -> None:
    plan = load(
        "dimensions: [machine]\nexclude: [{where: {machine: press_3}}, {measure: pressure, where: "
        "{machine: [a, b]}}]\nmute:\n- {where: {machine: c}, until: 1970-01-02T00:00, reason: overhaul}\n"
        "- {measure: pressure, until: 1970-01-02}\n",
        text=GOOD.replace("plant/press", "plant/press\n  timestamp: {timezone: Europe/Berlin}"),
    ).plan()
    assert isinstance(plan, WorkloadPlan)
    assert plan.exclude == (
        SeriesSelection(where={"machine": ("press_3",)}),
        SeriesSelection("pressure", {"machine": ("a", "b")}),
    )
    assert plan.alerts.mutes == (
        MutePlan(SeriesSelection(where={"machine": ("c",)}), 23 * 3600, "overhaul"),
        MutePlan(SeriesSelection("pressure"), 23 * 3600),
    )
    assert plan_from_json(plan.to_json()) == plan


def test_silence_reaches_the_plan(load: Load) -> None:
    assert load("silence: {after: 15m}\n").plan().silence == SilencePlan(900, 80.0)


def test_what_is_not_written_has_the_plans_defaults(load: Load) -> None:
    plan = load().plan()
    written = WorkloadPlan("press", plan.timestamp, plan.measures, 300, detector=plan.detector)

    assert plan == written


def test_the_streaming_detector_needs_no_endpoint_and_no_features(load: Load) -> None:
    spec = load("detector: {algorithm: watchkeeper}\n")

    assert spec.endpoint is None
    assert spec.plan().detector == DetectorPlan("watchkeeper")
    assert spec.plan().features == FeaturePlan(shingle=1, differences=False)
    assert spec.plan().threshold == ThresholdPlan("rarity", rarity=3.75)


def test_a_streaming_detector_with_an_endpoint_answers_rows_with_context(load: Load) -> None:
    spec = load("detector: {algorithm: watchkeeper, hyperparameters: {context: 64}}\nendpoint: {}\n")

    assert spec.endpoint is not None
    assert spec.plan().detector == DetectorPlan("watchkeeper", {"context": 64})
    assert spec.plan().features == FeaturePlan(shingle=64, differences=False)
    assert load("detector: {algorithm: watchkeeper}\nendpoint: {}\n").plan().features.shingle == 128


def test_a_serverless_endpoint_captures_nothing(load: Load) -> None:
    endpoint = load(
        "detector: {algorithm: watchkeeper}\nendpoint: {serverless: {memory_mb: 4096}}\n"
    ).endpoint

    assert endpoint is not None
    assert endpoint.serverless is not None
    assert (endpoint.serverless.memory_mb, endpoint.capture_percent) == (4096, 0)


def test_an_endpoint_on_instances_captures_a_fifth(load: Load) -> None:
    endpoint = load("endpoint: {instance_count: 2, rollout: {traffic: canary}}\n").endpoint

    assert endpoint is not None
    assert endpoint.capture_percent == 20


@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_durations_are_numbers_with_a_unit(count: int, unit: str) -> None:
    duration = TypeAdapter(Duration).validate_python(f"{count}{unit}")

    assert duration == timedelta(
        seconds=count * {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}[unit]
    )
    assert TypeAdapter(Duration).validate_python(duration_text(duration)) == duration


@pytest.mark.parametrize("topic", ["a", "plant/+/temperature", "plant/#", "+", "a b/é"])
def test_takes_every_topic_filter(load: Load, topic: str) -> None:
    assert load(text=_with("source", {"topic": topic})).source.topic == topic


@pytest.mark.parametrize(
    "schedule",
    [
        "rate(1 day)",
        "rate(12 hours)",
        "cron(0 3 ? * MON *)",
        "cron(0/15 8-18 ? * MON-FRI *)",
        "cron(0 0 1 * ? 2030)",
        "cron(0 0 L * ? *)",
        "cron(0 0 15W JAN,JUL ? *)",
        "cron(0,30 0-6/2 ? * 2#1 2026-2030)",
        "cron(0 0 ? * 6L *)",
    ],
)
def test_takes_eventbridge_schedules(load: Load, schedule: str) -> None:
    assert load(text=_with("training", {"schedule": schedule})).training.schedule == schedule


def test_a_directory_without_a_spec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadSpecError, match="has no workload"):
        load_workloads(tmp_path)


def test_an_address_is_subscribed_once_in_all_workloads(tmp_path: Path) -> None:
    shipped = (WORKLOADS / "water_flow.yaml").read_text()
    told = "- {channel: operators, subscription: {protocol: email, endpoint: ops@example.com}}"
    for name in ("one", "two"):
        text = shipped.replace("name: water_flow", f"name: {name}").replace("- {channel: operators}", told)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(WorkloadSpecError, match=r"two.yaml.*ops@example.com, as one does"):
        load_workloads(tmp_path)


def test_mistakes_of_every_file_of_a_directory_are_reported(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: one\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_text("name: [", encoding="utf-8")
    (tmp_path / "three.yml").write_text("", encoding="utf-8")

    with pytest.raises(WorkloadSpecError) as refused:
        load_workloads(tmp_path)

    assert {Path(problem.file).name for problem in refused.value.problems} == {
        "one.yaml",
        "two.yaml",
        "three.yml",
    }


def _with(key: str, value: object) -> str:
    spec = {
        "name": "press",
        "kind": "anomaly",
        "source": {"topic": "plant/press"},
        "measures": [{"field": "pressure", "name": "pressure"}],
        "interval": "5m",
        key: value,
    }
    return yaml.safe_dump(spec)


def test_a_measures_rules_are_in_its_plan(load: Load) -> None:
    text = GOOD.replace("measures:", "measures:\n  - {field: a, name: ruled, direction: above, RULES}", 1)
    text = text.replace("RULES", "ignore_below: {absolute: 2, relative: 0.1}, allowed: {lower: 0}")
    measure = load(text=text).plan().measures[0]

    assert measure.rules == MeasureRules("above", 2.0, 0.1, allowed_from=0.0)
    assert load().plan().measures[0].rules is None


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("allowed: {}", "name lower, upper or both"),
        ("allowed: {lower: 2, upper: 1}", "lower 2 is above upper 1"),
        ("direction: up", "above"),
        ("ignore_below: {absolute: -1}", "0"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_by_its_place(load: Load, rules: str, message: str) -> None:
    text = GOOD.replace("measures:", f"measures:\n  - {{field: a, name: ruled, {rules}}}", 1)
    with pytest.raises(WorkloadSpecError, match=message) as refused:
        load(text=text)
    assert "measures" in str(refused.value)


def test_the_wanted_alerts_reach_the_plan_and_are_within_the_gates_budget(load: Load) -> None:
    assert load("threshold: {rule: alert_budget, per_week: 3}\n").plan().threshold.per_week == 3.0
    with pytest.raises(WorkloadSpecError, match=r"max_alerts_per_week 7 is below threshold.per_week 9"):
        load("threshold: {rule: alert_budget, per_week: 9}\n")
    assert load("threshold: {rule: alert_budget, per_week: 9}\ngate: {max_alerts_per_week: 12}\n")
