"""The laptop's Athena: real rows of real files, once a token, at the place that it says."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import athena as ministack_athena
from ministack.services import glue, s3

from localcloud.athena import AthenaPart
from localcloud.seams import athena
from localcloud.seams.responses import request_scope

TOKEN = "t" * 32
QUERY = "SELECT ts, load FROM presses WHERE ts >= TIMESTAMP '2026-01-01 00:05:00' ORDER BY ts"
ROWS = b"ts,load\n2026-01-01 00:00:00,1.5\n2026-01-01 00:05:00,2.5\n"
TABLE = {
    "Name": "presses",
    "Parameters": {"skip.header.line.count": "1"},
    "StorageDescriptor": {
        "Location": "s3://lake/presses/",
        "Columns": [{"Name": "ts", "Type": "timestamp"}, {"Name": "load", "Type": "double"}],
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"},
    },
}


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("_start_query_execution", "_save_query_results", "_run_duckdb"):
        monkeypatch.setattr(ministack_athena, name, getattr(ministack_athena, name))
    monkeypatch.setattr(ministack_athena, "ATHENA_ENGINE", "duckdb")
    monkeypatch.setattr(s3, "PERSIST", False, raising=False)
    with request_scope("111122223333", "eu-west-1"):
        AthenaPart().install()
        s3._create_bucket("lake", b"", {})
        s3._put_object("lake", "presses/a.csv", ROWS, {"content-type": "text/csv"})
        glue._create_database({"DatabaseInput": {"Name": "plant"}})
        glue._create_table({"DatabaseName": "plant", "TableInput": TABLE})
        yield
        for module in (s3, glue, ministack_athena):
            module.reset()


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "QueryString": QUERY,
        "ClientRequestToken": TOKEN,
        "QueryExecutionContext": {"Database": "plant"},
        "ResultConfiguration": {"OutputLocation": "s3://lake/results/"},
        **changes,
    }


async def ran(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Start queries one after the other and return what became of each."""
    found = []
    for request in requests:
        status, _, body = athena.start_query.call(request)
        answer = json.loads(body)
        if status != 200:
            found.append(answer)
            continue
        execution = athena.executions[answer["QueryExecutionId"]]
        while execution["Status"]["State"] in ("QUEUED", "RUNNING"):
            await asyncio.sleep(0.01)
        found.append(execution)
    return found


def test_rows_of_a_table_are_a_file_at_the_place_that_the_query_says() -> None:
    pytest.importorskip("duckdb")
    [execution] = asyncio.run(ran(asked()))
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    bucket, _, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    assert s3._get_object_data(bucket, key).decode().split() == ["ts,load", "2026-01-01", "00:05:00,2.5"]
    json.dumps(execution)  # the laptop's state is kept on disk


def test_a_token_is_one_query_and_another_query_of_it_is_refused() -> None:
    first, second, other = asyncio.run(ran(asked(), asked(), asked(QueryString="SELECT 1")))
    assert first["QueryExecutionId"] == second["QueryExecutionId"]
    assert "do not match" in json.dumps(other)


def test_a_token_has_a_length() -> None:
    [refused] = asyncio.run(ran(asked(ClientRequestToken="short")))
    assert "32 to 128" in json.dumps(refused)
