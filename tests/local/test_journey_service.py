"""The anomaly service on the laptop: refusals, and a power cut under load."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

from tests.local.callers import expired_token_of, token_of
from tests.local.laptop import Laptop
from tests.local.service_tasks import item_of, labelled_table, put_table, succeeded
from tests.local.service_tasks import start as task_started
from tests.local.waiting import until
from watchkeeper.client import Client
from watchkeeper.service.tasks import Task, TaskFiles

pytestmark = [pytest.mark.local, pytest.mark.timeout(900)]

TRAIN, INFER = "/anomaly_detection/train/", "/anomaly_detection/infer/"
TABLE = "time,load\n" + "".join(f"{1_700_000_000 + 60 * row},{row % 7}\n" for row in range(60))
UNDER_LOAD = 4
"""Requests at once, twice as many as jobs run at once; the search is one more."""


def upload(url: str, key: str, text: str, token: str | None = None) -> requests.Response:
    """Upload a file with `requests`, as the guide does."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"key": key, "size_bytes": len(text)}
    lent = requests.post(f"{url}/files", json=body, headers=headers, timeout=60).json()
    return requests.put(lent["url"], data=text, headers=lent["headers"], timeout=60)


def training(**fields: object) -> dict[str, object]:
    return {
        "request_id": str(uuid4()),
        "model_name": "DBSCAN",
        "save_charts": False,
        "train_feature_file": "project/refusals/table",
        **fields,
    }


def test_every_refusal_is_the_documented_one(laptop: Laptop) -> None:
    url = laptop.service_url
    mine, theirs = token_of(laptop, "ann", "acme"), token_of(laptop, "ben", "other")
    assert upload(url, "project/refusals/table.csv", TABLE, mine).ok
    assert upload(url, "project/refusals/text.csv", "time,load\n1,2\n2,abc\n", mine).ok
    assert upload(url, "project/refusals/secret.csv", TABLE, theirs).ok

    def ask(method: str, path: str, body: object = None, token: str = mine) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, f"{url}{path}", json=body, headers=headers, timeout=60)

    model = "project/refusals/anomaly_detection/train/0123456789abcdef/model.tar.gz"
    inference = {
        "request_id": str(uuid4()),
        "detection_type": "multivariate",
        "model_path": model,
        "feature_file": "project/refusals/table",
    }
    answers = {
        "missing file": ask("POST", TRAIN, training(train_feature_file="project/refusals/none")),
        "wrong type": ask("POST", TRAIN, training(save_charts="perhaps")),
        "text in a column": ask("POST", TRAIN, training(train_feature_file="project/refusals/text")),
        "unknown model": ask("POST", TRAIN, training(model_name="Prophet")),
        "missing model": ask("POST", INFER, inference),
        "huge file": ask("POST", "/files", {"key": "project/a/b.csv", "size_bytes": 6_000_000_000}),
        "huge body": ask("POST", TRAIN, training(model_name="x" * 100_000)),
        "path traversal": ask("POST", TRAIN, training(train_feature_file="../other/project/file")),
        "path traversal in a path": ask("GET", "/files/project%2F..%2F..%2Fother%2Fx.csv"),
        "another tenant's file": ask("GET", "/files/project/refusals/secret.csv"),
        "another tenant's features": ask(
            "POST", TRAIN, training(train_feature_file="project/refusals/secret")
        ),
        "unknown path": ask("GET", "/nothing"),
        "unknown request": ask("GET", f"{TRAIN}?_id=none"),
    }
    expected = {
        "missing file": (404, "file_not_found"),
        "wrong type": (422, "invalid_request"),
        "text in a column": (422, "non_numeric_value"),
        "unknown model": (422, "invalid_request"),
        "missing model": (404, "model_not_found"),
        "huge file": (413, "file_too_large"),
        "huge body": (413, "request_too_large"),
        "path traversal": (422, "invalid_request"),
        "path traversal in a path": (422, "invalid_key"),
        "another tenant's file": (404, "file_not_found"),
        "another tenant's features": (404, "file_not_found"),
        "unknown path": (404, "not_found"),
        "unknown request": (404, "request_not_found"),
    }
    assert {name: (answer.status_code, problem_of(answer)) for name, answer in answers.items()} == expected

    forged = mine[:-4] + ("AAAA" if mine[-4:] != "AAAA" else "BBBB")
    for token in (expired_token_of(laptop, "cy", "acme"), forged, "nonsense"):
        answer = ask("GET", "/requests", token=token)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def problem_of(answer: requests.Response) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return str(answer.json()["type"].rpartition(":")[2])


def test_a_presigned_upload_takes_the_signed_file_only(laptop: Laptop) -> None:
    body = {"key": "project/refusals/signed.csv", "size_bytes": 4}
    lent = requests.post(f"{laptop.service_url}/files", json=body, timeout=60).json()

    other_type = requests.put(
        lent["url"], data="1,2\n", headers={**lent["headers"], "Content-Type": "text/html"}, timeout=60
    )
    other_key = requests.put(
        lent["url"].replace("signed.csv", "x.csv"), data="1,2\n", headers=lent["headers"], timeout=60
    )

    assert (other_type.status_code, other_key.status_code) == (403, 403)
    assert requests.put(lent["url"], data="1,2\n", headers=lent["headers"], timeout=60).ok


@pytest.mark.parametrize("sent", ["1,2\n3,4\n", "1,2", ""], ids=["longer", "shorter", "empty"])
def test_an_upload_of_another_size_than_the_signed_one_is_refused(laptop: Laptop, sent: str) -> None:
    key = f"project/refusals/of_{len(sent)}_bytes.csv"
    body = {"key": key, "size_bytes": 4}
    lent = requests.post(f"{laptop.service_url}/files", json=body, timeout=60).json()

    told = {**lent["headers"], "Content-Length": str(len(sent))}
    answer = requests.put(lent["url"], data=sent, headers=told, timeout=60)

    assert answer.status_code == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in answer.text
    assert requests.get(f"{laptop.service_url}/files/{key}", timeout=60).status_code == 404


def test_an_upload_that_breaks_off_leaves_no_file(laptop: Laptop) -> None:
    body = {"key": "project/refusals/broken_off.csv", "size_bytes": 4}
    lent = requests.post(f"{laptop.service_url}/files", json=body, timeout=60).json()
    where = urlsplit(lent["url"])
    head = [f"PUT {where.path}?{where.query} HTTP/1.1", f"Host: {where.netloc}"]
    head += [f"{name}: {value}" for name, value in lent["headers"].items()]

    with socket.create_connection((str(where.hostname), int(where.port or 80)), timeout=60) as line:
        line.sendall("\r\n".join([*head, "", "1,"]).encode())  # two of the four bytes
        line.shutdown(socket.SHUT_WR)
        line.recv(65536)

    assert requests.get(f"{laptop.service_url}/files/{body['key']}", timeout=60).status_code == 404


def test_a_power_cut_in_the_middle_of_a_search_loses_no_request_and_doubles_none(
    laptop: Laptop, tmp_path: Path
) -> None:
    frame, labels = labelled_table()
    files = TaskFiles(put_table(laptop, "features.csv", frame), put_table(laptop, "labels.csv", labels))
    search = task_started(laptop, Task.TRAIN, "c1", {"model_name": "ECOD", "save_charts": False}, files)
    until(lambda: "counted" in item_of(laptop, "c1"), what="the first share of the search")
    client = Client(laptop.service_url)
    (tmp_path / "table.csv").write_text(TABLE)
    client.upload(tmp_path / "table.csv", "project/load/table.csv")
    ids = [str(uuid4()) for _ in range(UNDER_LOAD)]

    def start(request_id: str) -> str:
        return client.train("HBOS", "project/load/table", request_id=request_id).id

    with ThreadPoolExecutor(UNDER_LOAD) as pool:
        started = list(pool.map(start, ids))
    laptop.kill()
    laptop.cloud.start()
    with ThreadPoolExecutor(UNDER_LOAD) as pool:
        again = list(pool.map(start, ids))

    assert again == started
    for request_id in ids:
        client.wait(client.train("HBOS", "project/load/table", request_id=request_id), poll_seconds=1)
    names = []
    for one in started:
        shown = json.loads(requests.get(f"{laptop.service_url}/requests/{one}", timeout=60).text)
        assert [change["status"] for change in shown["history"]] == ["queued", "running", "succeeded"]
        names.append(shown["task_id"].rpartition(":")[2])
    assert succeeded(laptop, search)["rows"] == len(frame)
    assert item_of(laptop, "c1")["counted"] == ["0", "1", "2"]
    machine = laptop.outputs["StateMachineArnTrain"]
    executions = laptop.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    made = [each["name"] for each in executions]
    assert all(made.count(name) == 1 for name in names)
