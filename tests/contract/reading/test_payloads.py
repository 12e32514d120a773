"""What an endpoint says of a payload, and that data capture reads it alike: endpoint times situation."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from containers.runtime.requests import Instances, Refusal, predicting, read_instances
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.captures import CapturedInstance, instances_in
from watchkeeper.regression.plan import ColumnPlan, RegressionPlan, TableHistoryPlan
from watchkeeper.regression.rows import cells_of, features_of
from watchkeeper.telemetry.payloads import read_each
from watchkeeper.telemetry.rows import rows_of

PLAN = RegressionPlan(
    "plain",
    "target",
    (ColumnPlan("time", "one_hot"), ColumnPlan("value", "numeric")),
    TableHistoryPlan(),
)
TIMES = ("2024-03-01 00:00:00", "2024-03-01 00:05:00")
PLAIN = f"{TIMES[0]},1.5\n{TIMES[1]},2.5"
QUOTED = f'"{TIMES[0]}","1.5"\n"{TIMES[1]}", "2.5"'
OBJECTS = [{"timestamp": time, "value": value} for time, value in zip(TIMES, (1.5, 2.5), strict=True)]
FEATURES = [{"features": [each["timestamp"], each["value"]]} for each in OBJECTS]
LINES = "\n".join(map(json.dumps, FEATURES))


@predicting
def telemetry(instances: Instances, _: object) -> list[float]:
    return [row.value for row in rows_of(instances)]


@predicting
def table(instances: Instances, _: object) -> Sequence[Any]:
    return [row[1] for row in read_each(instances, lambda each: features_of(cells_of(each, PLAN), PLAN))]


@pytest.mark.parametrize(
    ("payload", "content_type", "right"),
    [
        pytest.param(PLAIN, "text/csv", None, id="plain"),
        pytest.param(PLAIN + "\n", "text/csv", None, id="a line break at the end"),
        pytest.param(PLAIN.replace("\n", "\r\n") + "\r\n", "TEXT/CSV; charset=utf-8", None, id="CRLF"),
        pytest.param(PLAIN.replace("\n", "\r"), "text/csv", None, id="CR"),
        pytest.param("\ufeff" + PLAIN, "text/csv", None, id="a byte-order mark"),
        pytest.param(QUOTED, "text/csv", None, id="quoted cells"),
        pytest.param(LINES, "application/jsonlines", None, id="JSON lines"),
        pytest.param(json.dumps({"instances": FEATURES}), "application/json", None, id="JSON"),
        pytest.param("time,value\n" + PLAIN, "text/csv", "Is it a header line?", id="a header line"),
        pytest.param(PLAIN.replace(",", ";"), "text/csv", "separated by commas", id="semicolons"),
        pytest.param(PLAIN.replace(",", "\t"), "text/csv", "separated by commas", id="tabs"),
        pytest.param(PLAIN.replace(",", "|"), "text/csv", "separated by commas", id="pipes"),
        pytest.param(PLAIN.replace("1.5", '"1,5"'), "text/csv", "comma is its decimal sign", id="a comma"),
        pytest.param(PLAIN.encode("utf-16"), "text/csv", "byte 0 is not text in UTF-8", id="UTF-16"),
        pytest.param(
            PLAIN.encode("utf-16-le"), "text/csv", "byte 1 is not text in UTF-8", id="UTF-16, unmarked"
        ),
        pytest.param("é".encode("latin-1") + b",1", "text/csv", "byte 0 is not text in UTF-8", id="Latin-1"),
        pytest.param(gzip.compress(PLAIN.encode()), "text/csv", "neither packed", id="gzip"),
        pytest.param(PLAIN.replace("\n", "\n\n"), "text/csv", "record 2: empty line", id="an empty line"),
        pytest.param(PLAIN.replace("2.5", '"2.5'), "text/csv", "record 2: not CSV: a quote", id="a quote"),
        pytest.param(PLAIN.replace("2.5", "high"), "text/csv", "record 2: ", id="no number"),
        pytest.param(PLAIN.replace("2.5", "NA"), "text/csv", "record 2: ", id="no value"),
        pytest.param(LINES[:-3], "application/jsonlines", "record 2: not JSON", id="JSON that is cut off"),
        pytest.param(json.dumps(FEATURES), "application/json", '{"instances": [...]}', id="a JSON array"),
        pytest.param("", "text/csv", "no record", id="nothing"),
        pytest.param(PLAIN, "application/x-parquet", "use text/csv, application/json", id="another type"),
    ],
)
@pytest.mark.parametrize("endpoint", [telemetry, table])
def test_every_endpoint_says_what_is_right(
    endpoint: Callable[[Instances | Refusal, object], Sequence[float] | Refusal],
    payload: str | bytes,
    content_type: str,
    right: str | None,
) -> None:
    body = payload.encode() if isinstance(payload, str) else payload
    read = read_instances(body, content_type)
    answer = endpoint(read, None)

    if right is None:
        assert answer == [1.5, 2.5]
    else:
        assert isinstance(answer, Refusal)
        assert right in answer.message
        assert len(answer.message) < 400
    captured = list(instances_in([as_captured(body, content_type)]))
    if isinstance(read, Refusal):
        assert all(isinstance(each, InvalidInputError) for each in captured)
    else:
        assert [each.content for each in captured if isinstance(each, CapturedInstance)] == read


def as_captured(body: bytes, content_type: str) -> bytes:
    data = base64.b64encode(body).decode()
    entry = {"observedContentType": content_type, "mode": "INPUT", "data": data, "encoding": "BASE64"}
    metadata = {"eventId": "e-1", "inferenceTime": "2024-01-01T00:00:05Z"}
    return json.dumps({"captureData": {"endpointInput": entry}, "eventMetadata": metadata}).encode()
