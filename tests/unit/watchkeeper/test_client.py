"""The service's client against a server of the standard library."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from watchkeeper.client import Client, ServiceProblemError, TaskFailedError
from watchkeeper.client.transport import Transport
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.service.tasks import Task

STARTED = {"_id": "1", "task": "train", "status": "queued", "task_id": "arn"}


class Server:
    """Answers by a script: a list of answers for each method and path; the last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                what = f"{self.command} {self.path}"
                outer.asked.append((what, dict(self.headers), body))
                script = outer.answers.get(what) or [(404, {"message": "no such path"})]
                status, document = script.pop(0) if len(script) > 1 else script[0]
                content = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the base class's names

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def client(server: Server) -> Client:
    return Client(server.url, token=lambda: "token")


def sent(server: Server) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(server.asked[-1][2])
    return document


def test_training_sends_the_fields_of_the_service(server: Server, client: Client) -> None:
    server.answers["POST /anomaly_detection/train/"] = [(200, STARTED)]

    task = client.train("DBSCAN", "p/f", label_file="p/l", save_charts=True, request_id="r")

    assert (task.id, task.task) == ("1", Task.TRAIN)
    assert sent(server) == {
        "request_id": "r",
        "model_name": "DBSCAN",
        "save_charts": True,
        "decimal": ".",
        "train_feature_file": "p/f",
        "train_label_file": "p/l",
    }
    assert server.asked[-1][1]["Authorization"] == "Bearer token"


def test_inference_says_how_by_what_it_is_given(server: Server, client: Client) -> None:
    server.answers["POST /anomaly_detection/infer/"] = [(200, {**STARTED, "task": "infer"})]

    client.infer("p/f", method_name="iqr")
    assert (sent(server)["detection_type"], sent(server)["method_name"]) == ("univariate", "iqr")
    assert "parameters" not in sent(server)
    client.infer("p/f", method_name="iqr", parameters={"margin": 3})
    assert sent(server)["parameters"] == {"margin": 3}
    client.infer("p/f", model_path="p/m")
    assert (sent(server)["detection_type"], sent(server)["model_path"]) == ("multivariate", "p/m")
    with pytest.raises(InvalidInputError, match="either"):
        client.infer("p/f")
    with pytest.raises(InvalidInputError, match="parameters are a method's"):
        client.infer("p/f", model_path="p/m", parameters={"margin": 3})


def test_a_problem_is_an_exception_with_its_name_and_fields(server: Server, client: Client) -> None:
    problem = {
        "type": "urn:watchkeeper:problem:invalid_request",
        "status": 422,
        "detail": "/model_name: no",
        "instance": "i",
        "errors": [{"pointer": "/model_name", "detail": "no"}],
    }
    server.answers["POST /anomaly_detection/train/"] = [(422, problem)]

    with pytest.raises(ServiceProblemError) as refused:
        client.train("X", "p/f")

    assert (refused.value.reason, refused.value.status, refused.value.instance) == (
        "invalid_request",
        422,
        "i",
    )
    assert refused.value.errors == problem["errors"]
    assert len(server.asked) == 1


def test_a_refusal_of_the_gateway_is_one_too(server: Server, client: Client) -> None:
    server.answers["GET /requests?limit=100"] = [(401, {"message": "Unauthorized"})]

    with pytest.raises(ServiceProblemError) as refused:
        list(client.requests())

    assert (refused.value.reason, refused.value.status) == ("unauthorized", 401)


def test_repeats_the_same_request_when_the_service_is_away_for_a_moment(server: Server) -> None:
    server.answers["POST /x"] = [(503, {}), (429, {}), (200, {"ok": True})]
    pauses: list[float] = []

    assert Transport(server.url, None, 5, pauses.append).call("POST", "/x", body={"a": 1}) == {"ok": True}
    assert pauses == [0.5, 1.0]
    assert {body for _, _, body in server.asked} == {b'{"a": 1}'}


def test_gives_up_after_some_attempts_and_says_why(server: Server) -> None:
    server.answers["GET /x"] = [(503, {"detail": "away", "type": "urn:watchkeeper:problem:unavailable"})]

    with pytest.raises(UnavailableError, match="away"):
        Transport(server.url, None, 5, lambda seconds: None).call("GET", "/x")
    server.stop()
    with pytest.raises(UnavailableError, match="refused"):
        Transport(server.url, None, 5, lambda seconds: None).call("GET", "/x")


def test_waits_with_progress_until_the_task_is_finished(server: Server, client: Client) -> None:
    running = {**STARTED, "status": "running"}
    progress = [{"done": 1, "total": 2, "message": "m"}, {"done": 2, "total": 2, "message": "m"}]
    server.answers["POST /anomaly_detection/train/"] = [(200, STARTED)]
    server.answers["GET /anomaly_detection/train/?_id=1"] = [
        (200, running),
        (200, {**running, "progress": progress[0]}),
        (200, {**running, "progress": progress[0]}),
        (200, {**running, "progress": progress[1]}),
        (200, {**STARTED, "status": "succeeded", "model_path": "p/m"}),
    ]
    told: list[dict[str, Any]] = []

    answer = client.wait(client.train("LOF", "p/f"), on_progress=told.append, poll_seconds=0)

    assert answer["model_path"] == "p/m"
    assert told == progress


def test_a_failed_task_is_an_exception_with_its_reason(server: Server, client: Client) -> None:
    server.answers["POST /anomaly_detection/train/"] = [(200, STARTED)]
    error = {"type": "non_numeric_value", "message": "column 'a', row 7"}
    server.answers["GET /anomaly_detection/train/?_id=1"] = [
        (200, {**STARTED, "status": "failed", "error": error})
    ]

    with pytest.raises(TaskFailedError, match="row 7") as failed:
        client.wait(client.train("LOF", "p/f"))
    assert failed.value.reason == "non_numeric_value"


def test_a_task_that_does_not_end_in_time_is_told_with_its_status(server: Server, client: Client) -> None:
    server.answers["POST /anomaly_detection/train/"] = [(200, STARTED)]
    server.answers["GET /anomaly_detection/train/?_id=1"] = [(200, STARTED)]

    with pytest.raises(UnavailableError, match="is queued"):
        client.wait(client.train("LOF", "p/f"), timeout_seconds=-1, poll_seconds=0)


def test_a_file_goes_up_and_down_through_what_the_service_lends(
    server: Server, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes(b"x,y\n")
    lent = {
        "key": "p/f/a.csv",
        "method": "PUT",
        "url": f"{server.url}/put",
        "headers": {"Content-Type": "text/csv", "Content-Length": "4"},
    }
    server.answers |= {
        "POST /files": [(201, lent)],
        "PUT /put": [(200, b"")],
        "GET /files/p/f/my%20a.csv": [(200, {"url": f"{server.url}/get"})],
        "GET /get": [(200, b"content")],
    }

    assert client.upload(tmp_path / "a.csv", "p/f/a.csv") == "p/f/a.csv"
    assert server.asked[-1][2] == b"x,y\n"
    assert "Authorization" not in server.asked[-1][1]
    assert client.download("p/f/my a.csv", tmp_path / "b").read_bytes() == b"content"


def test_lists_all_pages(server: Server, client: Client) -> None:
    server.answers |= {
        "GET /requests?task=train&limit=100": [(200, {"requests": [1], "next_page_token": "t"})],
        "GET /requests?task=train&limit=100&page_token=t": [
            (200, {"requests": [2], "next_page_token": None})
        ],
    }

    assert list(client.requests(task="train")) == [1, 2]


def test_lists_all_models(server: Server, client: Client) -> None:
    server.answers["GET /models?limit=100"] = [(200, {"models": [1, 2], "next_page_token": None})]

    assert list(client.models()) == [1, 2]


@pytest.mark.parametrize("url", ["http://example.com", "file:///etc/passwd", "ftp://x", "localhost:8000"])
def test_sends_no_token_in_clear_text(url: str) -> None:
    with pytest.raises(InvalidInputError, match="https"):
        Client(url, token="secret")
