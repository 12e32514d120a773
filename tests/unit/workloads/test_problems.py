"""What a user reads when a spec is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchkeeper.spec import Problem, WorkloadSpecError, load_workload

Problems = Callable[[str], list[Problem]]

ATHENA = "database: plant, reads: [{bucket: plant}]"

TEN_MISTAKES = """\
name: press
kind: anomaly
source:
  topic: plant/#/press
  timestamp: {format: HH:MM}
measures:
  - {field: pressure, name: pressure, agregate: max}
interval: 5 minutes
lateness: 5m
lateness: 6m
detector:
  algorithm: rfc
threshold: {rule: quantile, quantile: 1.5}
gate: {beat_champion: maybe}
training: {instance_type: large}
alerts:
  routes:
    - {channel: ops, subscription: {protocol: email}}
"""

TEN_PROBLEMS = [
    "4: source.topic: 'plant/#/press': "
    "must be an MQTT topic filter: + is a whole level, # is the whole last level",
    "5: source.timestamp.format: 'HH:MM': must be iso8601, epoch_seconds, epoch_milliseconds, "
    "epoch_microseconds, epoch_nanoseconds, "
    "or a strptime format with year, month and day such as %Y-%m-%d %H:%M:%S",
    "7: measures[0].agregate: 'max': "
    "unknown key; did you mean aggregate?; "
    "known keys: aggregate, allowed, direction, field, ignore_below, missing, name",
    "8: interval: '5 minutes': "
    "must be a duration: a whole number and s, m, h, d or w, such as 30s, 5m, 1h, 7d",
    "10: lateness: is there twice, first in line 9; keep one",
    "12: detector.algorithm: 'rfc': must be one of rcf, watchkeeper, registered; did you mean rcf?",
    "13: threshold.quantile: 1.5: must be at least 0.5 and less than 1",
    "14: gate.beat_champion: 'maybe': must be true or false",
    "15: training.instance_type: 'large': must be an instance type with an x86 CPU and no disk of its own, "
    "such as ml.m5.large; there are ml.m5, ml.m6i, ml.m7i, ml.c5, ml.c6i, ml.c7i, ml.r6i, ml.r7i",
    "18: alerts.routes[0].subscription.endpoint: is missing: "
    "E-mail address, telephone number, https URL, or ARN of the queue or function.",
]


def test_ten_mistakes_are_ten_clear_errors(problems: Problems) -> None:
    found = problems(TEN_MISTAKES)

    assert [str(problem).removeprefix(f"{problem.file}:") for problem in found] == TEN_PROBLEMS


def test_a_problem_reads_as_file_line_key_value_and_message(problems: Problems, good: str) -> None:
    (problem,) = problems(good.replace("5m", "5x"))

    assert str(problem) == (
        f"{problem.file}:7: interval: '5x': must be a duration: a whole number and s, m, h, d or w, "
        "such as 30s, 5m, 1h, 7d"
    )
    assert problem.file.endswith("press.yaml")


@pytest.mark.parametrize(
    ("more", "key", "message"),
    [
        ("lateness: 8d\n", "lateness", "must be at most 1000 intervals"),
        ("dimensions: [pressure]\n", "dimensions", "is a measure's or the timestamp's field already"),
        ("dimensions: [timestamp]\n", "dimensions", "is a measure's or the timestamp's field already"),
        (
            "dimensions: [workload]\n",
            "dimensions[0]",
            "ingestion writes the fields received_at, workload itself",
        ),
        ("max_gap_intervals: 2.5\n", "max_gap_intervals", "must be a whole number"),
        ("silence: {after: 4m}\n", "silence", "after must be at least the interval"),
        ("silence: {after: 8d}\n", "silence.after", "must be from 1m to 7d"),
        ("silence: {after: 15m, severity: 60}\n", "silence.severity", "must be at least 70 and at most 100"),
        ("exclude: [{}]\n", "exclude[0]", "says nothing: name a measure, or where with a dimension"),
        (
            "exclude: [{measure: presure}]\n",
            "exclude",
            "no measure 'presure': the workload has pressure; did",
        ),
        (
            "exclude: [{where: {machine: a}}]\n",
            "exclude",
            "no dimension 'machine': the workload has no dimen",
        ),
        ("exclude: [{measure: pressure}]\n", "exclude", "every measure is excluded"),
        ("mute: [{measure: pressure}]\n", "mute[0].until", "is missing"),
        (
            "mute: [{measure: pressure, until: soon}]\n",
            "mute[0].until",
            "must be a time in ISO 8601, such as",
        ),
        ("features: {shingle: 257}\n", "features.shingle", "must be at least 1 and at most 256"),
        ("features: {time_of_day: 'yes'}\n", "features.time_of_day", "must be true or false"),
        ("history: {window: 0d}\n", "history.window", "must be longer than 0s"),
        (
            "history: {split: {train: 0.8, calibrate: 0.2}}\n",
            "history.split.calibrate",
            "at most 0.15 beside train",
        ),
        ("threshold: {k: 3}\n", "threshold.rule", "is missing; it must be one of mean_sigma, quantile"),
        ("threshold: {rule: mean_sigma, k: high}\n", "threshold.k", "must be a number"),
        (
            "detector: {algorithm: rcf, hyperparameters: {num_trees: 49}}\n",
            "detector.hyperparameters.num_trees",
            "must be at least 50 and at most 1000",
        ),
        (
            "detector: {algorithm: rcf, hyperparameters: {num_samples_per_tree: 4096}}\n",
            "detector.hyperparameters.num_samples_per_tree",
            "must be at least 1 and at most 2048",
        ),
        (
            "detector: {algorithm: rcf, hyperparameters: {trees: 100}}\n",
            "detector.hyperparameters.trees",
            "known keys: num_samples_per_tree, num_trees",
        ),
        (
            "detector: {algorithm: watchkeeper, hyperparameters: {context: 300}}\n",
            "detector.hyperparameters.context",
            "must be at least 16 and at most 256",
        ),
        (
            "features: {shingle: 8}\ndetector: {algorithm: watchkeeper}\n",
            "detector",
            "leave features out; detector.hyperparameters.context",
        ),
        (
            "detector: {algorithm: watchkeeper, hyperparameters: {context: 64}}\nendpoint:\n",
            "endpoint",
            "leave context out, or write endpoint: {}",
        ),
        ("endpoint:\n", "endpoint", "rcf is asked at an endpoint: leave the key out"),
        ("threshold: {rule: rarity}\n", "threshold", "calibration of the detector watchkeeper"),
        ("gate: {max_alerts_per_week: -1}\n", "gate.max_alerts_per_week", "must be at least 0"),
        ("training: {schedule: every day}\n", "training.schedule", "must be an EventBridge schedule"),
        ("training: {schedule: rate(1 days)}\n", "training.schedule", "singular for 1 only"),
        ("training: {schedule: cron(0 3 * * *)}\n", "training.schedule", "cron has six fields"),
        ("training: {schedule: cron(0 3 * * * *)}\n", "training.schedule", "must be ?"),
        (
            "training:\n  schedule: cron(99 99 ? * MON *)\n",
            "training.schedule",
            "'99' is not allowed as minut",
        ),
        (
            "training:\n  schedule: cron(0 3-25 ? * MON *)\n",
            "training.schedule",
            "'3-25' is not allowed as",
        ),
        ("training:\n  schedule: cron(0 3 32 * ? *)\n", "training.schedule", "as day of month: 1 to 31"),
        ("training:\n  schedule: cron(0 3 ? FEBR * *)\n", "training.schedule", "as month"),
        ("training:\n  schedule: cron(0 3 ? * 2#6 *)\n", "training.schedule", "as day of week"),
        ("training:\n  schedule: cron(0 3 ? * MON 1969)\n", "training.schedule", "as year: 1970 to 2199"),
        ("training:\n  schedule: cron(0/0 3 ? * MON *)\n", "training.schedule", "as minutes"),
        (
            "training: {instance_type: ml.z9.huge}\n",
            "training.instance_type",
            "such as ml.m5.large; there are",
        ),
        (
            "training: {instance_type: ml.m5.huge}\n",
            "training.instance_type",
            "ml.m5 is there as large, ",
        ),
        ("training: {instance_type: ml.m6g.large}\n", "training.instance_type", "with an x86 CPU"),
        ("endpoint: {instance_type: ml.m5d.large}\n", "endpoint.instance_type", "no disk of its own"),
        ("gate: {max_alerts_per_week: .inf}\n", "gate.max_alerts_per_week", "must be finite"),
        ("gate: {max_alerts_per_week: .nan}\n", "gate.max_alerts_per_week", "must be finite"),
        ("training:\n  schedule: cron(x 3 ? * * *)\n", "training.schedule", "'x' is not allowed as minutes"),
        (
            "endpoint: {serverless: {memory_mb: 2000}}\n",
            "endpoint.serverless.memory_mb",
            "must be 1024, 2048",
        ),
        ("endpoint: {serverless: {}}\n", "endpoint", "the detector rcf needs two"),
        (
            "detector: {algorithm: watchkeeper}\nendpoint: {serverless: {}, instance_count: 2}\n",
            "endpoint.instance_count",
            "must be left out beside serverless",
        ),
        (
            "detector: {algorithm: watchkeeper}\nendpoint: {serverless: {}, capture_percent: 5}\n",
            "endpoint.capture_percent",
            "must be 0 beside serverless",
        ),
        ("endpoint: {rollout: {traffic: canary}}\n", "endpoint.rollout", "instance_count of at least 2"),
        ("endpoint: {rollout: {wait: 2h}}\n", "endpoint.rollout.wait", "must be at most 1h"),
        (
            "endpoint: {rollout: {traffic: linear}}\n",
            "endpoint.rollout.traffic",
            "must be 'all_at_once' or 'canary'",
        ),
        (
            "alerts: {routes: [{channel: Ops}]}\n",
            "alerts.routes[0].channel",
            "1 to 31 characters of a-z, 0-9 and _",
        ),
        (
            "alerts: {routes: [{channel: ops, severity_at_least: 101}]}\n",
            "alerts.routes[0].severity_at_least",
            "100",
        ),
        (
            "alerts: {routes: [{channel: ops, subscription: {protocol: email, endpoint: nobody}}]}\n",
            "alerts.routes[0].subscription.endpoint",
            "must be an e-mail address",
        ),
        (
            "alerts: {routes: [{channel: ops, subscription: {protocol: https, endpoint: 'http://x'}}]}\n",
            "alerts.routes[0].subscription.endpoint",
            "must be a URL that begins with https://",
        ),
        ("alerts: []\n", "alerts", "must be a mapping of keys to values"),
        ("42: x\n", "42", "keys must be text"),
        ("freshness: 16m\n", "freshness", "must be from 0s to 15m"),
    ],
)
def test_one_mistake_is_one_problem_at_its_key(
    problems: Problems, good: str, more: str, key: str, message: str
) -> None:
    (problem,) = problems(good + more)

    assert problem.key == key
    assert message in problem.message
    assert problem.line >= 8


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("name: press\n", "name: pump\n", "name", "must be the file's name, press"),
        ("name: press\n", "", "name", "is missing: The same as the file's name"),
        (
            "kind: anomaly",
            "kind: anomly",
            "kind",
            "must be one of anomaly, device_behaviour, regression, fraud; did you mean anomaly?",
        ),
        ("kind: anomaly\n", "", "kind", "is missing; it must be one of anomaly, device_behaviour"),
        ("name: pressure", "name: inf", "measures[0].name", "reads as a number"),
        ("  - {field: pressure, name: pressure}\n", "  []\n", "measures", "must have at least 1"),
        ("topic: plant/press", "topic: $aws/things", "source.topic", "must not begin with $"),
        ("topic: plant/press", "topic: it's", "source.topic", "quotation mark"),
        ("topic: plant/press", "topic: a/b/c/d/e/f/g/h/i", "source.topic", "7 slashes"),
        ("topic: plant/press", "topic: '#'", "source.topic", "every message of the account"),
        ("topic: plant/press", "topic: +/#", "source.topic", "every message of the account"),
        ("topic: plant/press", "topic: 7", "source.topic", "must be text"),
        ("topic: plant/press", "record_id: x", "source.athena", "no source: name topic"),
        (
            "topic: plant/press",
            "topic: a\n  folders: {bucket: plant, path: a/}",
            "source.folders",
            "has topic already",
        ),
        (
            "topic: plant/press",
            "kinesis: {stream: plant}",
            "source.kinesis.stream",
            "must be the ARN of a stream",
        ),
        (
            "topic: plant/press",
            "cloudwatch: {namespace: AWS/EC2, metrics: [{metric: Load, stat: mean}]}",
            "source.cloudwatch.metrics[0].stat",
            "must be a statistic of CloudWatch",
        ),
        (
            "topic: plant/press",
            "cloudwatch: {namespace: AWS/EC2, metrics: [{metric: Load}, {metric: Load, stat: Sum}]}",
            "source.cloudwatch.metrics",
            "the field 'Load' is there 2 times",
        ),
        (
            "topic: plant/press",
            "cloudwatch: {namespace: AWS/EC2, metrics: [{metric: Load}]}",
            "measures",
            "none of source.cloudwatch.metrics, which have Load",
        ),
        (
            "topic: plant/press",
            "cloudwatch: {metrics: [{metric: Load}]}",
            "source.cloudwatch.metrics",
            "add namespace beside metrics",
        ),
        (
            "topic: plant/press",
            f"athena: {{{ATHENA}, query: DROP TABLE a}}",
            "source.athena.query",
            "must be one SELECT",
        ),
        (
            "topic: plant/press",
            f"athena: {{{ATHENA}, query: SELECT 1; DELETE FROM a}}",
            "source.athena.query",
            "must be one statement",
        ),
        (
            "topic: plant/press",
            f"athena: {{{ATHENA}, query: SELECT at FROM a}}",
            "source.athena.query",
            "{from} and {to} is not in it",
        ),
        (
            "topic: plant/press",
            "folders: {bucket: plant, path: a/, offset: 8d}",
            "source.folders.offset",
            "must be at most 7d",
        ),
        ("topic: plant/press", "folders: {bucket: 's3://a', path: a/}", "source.folders.bucket", "no s3://"),
        (
            "topic: plant/press",
            "folders: {bucket: plant, path: '{{w}}'}",
            "source.folders.path",
            "is no date",
        ),
        (
            "topic: plant/press",
            "folders: {bucket: plant, path: a/}\n  basic_ingest: true",
            "source.basic_ingest",
            "is of a topic",
        ),
        ("topic: plant/press", "topic: a\n  where: {hall: A}", "dimensions", "source.where names 'hall'"),
        ("interval: 5m", "interval: 0s", "interval", "must be from 1s to 7d"),
        ("interval: 5m", "interval: 300", "interval", "must be a duration"),
    ],
)
def test_a_wrong_value_in_a_required_key(
    problems: Problems, good: str, old: str, new: str, key: str, message: str
) -> None:
    (problem,) = problems(good.replace(old, new))

    assert problem.key == key
    assert message in problem.message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "must be a mapping"),
        ("[]", 1, "must be a mapping"),
        ("a: 1\nb: [", 2, "not YAML"),
        ("\tx: 1", 1, "not YAML"),
        ("name: \x00", 1, "not YAML"),
        ("[" * 5000, 1, "nested more than 20 levels"),
        ("a: {" * 30, 1, "nested more than 20 levels"),
        (
            "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 12))]),
            1,
            "more than 20000 parts",
        ),
        ("a: " + "x" * 300_000, 1, "more than 262144 bytes"),
        ("a: &a [*a]", 1, "an alias refers to what it is part of"),
        ("a: !!python/object/apply:os.system [x]", 1, "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML"),
    ],
)
def test_text_that_is_no_spec_at_all(problems: Problems, text: str, line: int, message: str) -> None:
    (problem,) = problems(text)

    assert problem.line == line
    assert message in problem.message


def test_a_name_that_the_anomaly_service_has(tmp_path: Path, good: str) -> None:
    path = tmp_path / "anomaly_service.yaml"
    path.write_text(good.replace("name: press\n", "name: anomaly_service\n"))
    with pytest.raises(WorkloadSpecError, match=r"name: 'anomaly_service': must not begin with"):
        load_workload(path)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(WorkloadSpecError, match=r"press.yaml:1: cannot be read: No such file"):
        load_workload(tmp_path / "press.yaml")
    (tmp_path / "press.yaml").write_bytes(b"name: \xff")
    with pytest.raises(WorkloadSpecError, match="is not UTF-8"):
        load_workload(tmp_path / "press.yaml")


NAMES = (
    "name kind source topic timestamp format measures interval history split train calibrate detector "
    "algorithm threshold rule endpoint serverless alerts routes channel"
)
KEYS = st.sampled_from(NAMES.split())
WORDS = st.sampled_from(["rcf", "5m", "", "mean_sigma", "x"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(KEYS, DOCUMENTS, max_size=6))
def test_any_document_is_refused_with_problems_at_lines_of_the_file(
    tmp_path: Path, document: dict[str, object]
) -> None:
    path = tmp_path / "press.yaml"
    text = yaml.safe_dump(document)
    path.write_text(text, encoding="utf-8")

    with pytest.raises(WorkloadSpecError) as refused:
        load_workload(path)

    assert refused.value.problems
    for problem in refused.value.problems:
        assert 1 <= problem.line <= len(text.splitlines())
        assert problem.message
        assert "Pydantic" not in str(problem)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("previus", "must be ignore, zero, previous or a number; did you mean previous?"),
        ("true", "must be ignore, zero, previous or a number"),
        (".nan", "must be ignore, zero, previous or a number"),
    ],
)
def test_what_an_interval_without_readings_may_have_is_said(
    problems: Problems, good: str, missing: str, message: str
) -> None:
    (problem,) = problems(good.replace("name: pressure", f"name: pressure, missing: {missing}"))

    assert (problem.key, problem.message) == ("measures[0].missing", message)


def test_silence_of_what_always_has_a_value_is_refused(problems: Problems, good: str) -> None:
    counted = good.replace("name: pressure", "name: pressure, aggregate: count")
    (problem,) = problems(f"{counted}silence: {{after: 15m}}\n")

    assert problem.message.endswith("leave silence out, or watch a measure with missing: ignore")
