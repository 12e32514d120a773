"""A foreign web page is refused, whatever way it asks."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Iterator, Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from localcloud import admission
from localcloud.admission import Admission, Receive, Scope, Send
from localcloud.images import loopback_server
from localcloud.images.admission import is_own_page, refusal
from localcloud.lambda_runtime.runtime_api import RuntimeApi
from localcloud.settings import Settings

HERE = {"host": "127.0.0.1:4566"}
FOREIGN = {
    "a form of a foreign page": {**HERE, "origin": "https://evil.example"},
    "a sandboxed frame or a file": {**HERE, "origin": "null"},
    "a page on another port of this machine": {**HERE, "origin": "http://localhost:3000"},
    "a page without a port": {**HERE, "origin": "http://localhost"},
    "an image in a foreign page": {**HERE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    "an image in a page on another port": {**HERE, "sec-fetch-site": "same-site"},
    "a link on a foreign page": {**HERE, "referer": "https://evil.example/", "sec-fetch-mode": "navigate"},
    "a name that was bound anew": {"host": "evil.example:4566"},
    "a name that looks like this machine": {"host": "localhost.evil.example:4566"},
    "a name that begins like this machine": {"host": "127.0.0.1.evil.example"},
    "an origin with a user": {**HERE, "origin": "http://127.0.0.1:4566@evil.example"},
    "an origin that is no address": {**HERE, "origin": "http://[::1"},
    "a port that is none": {**HERE, "origin": "http://localhost:4566x"},
    "no host at all": {},
}
OWN = {
    "a program": HERE,
    "a bucket's own name": {"host": "bucket.s3.localhost:4566"},
    "version 6": {"host": "[::1]:4566"},
    "a page of this cloud": {"host": "localhost:8000", "origin": "http://localhost:8000"},
    "a page of this cloud asks the gateway": {**HERE, "origin": "http://localhost:8000"},
    "an image in a page of this cloud": {
        **HERE,
        "referer": "http://localhost:8000/docs",
        "sec-fetch-site": "cross-site",
    },
    "an address that was typed": {**HERE, "sec-fetch-site": "none"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_refuses_a_foreign_page(headers: Mapping[str, str]) -> None:
    assert refusal(headers, own_ports=(4566, 8000))


@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
def test_answers_programs_and_own_pages(headers: Mapping[str, str]) -> None:
    assert refusal(headers, own_ports=(4566, 8000)) is None


def test_a_link_may_lead_where_links_are_allowed_but_a_form_may_not() -> None:
    link = {**HERE, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert refusal(link, links=True) is None
    assert refusal({**link, "origin": "https://evil.example"}, links=True)


def test_an_own_page_is_at_a_port_of_this_cloud() -> None:
    assert is_own_page("http://[::1]:8000/docs", (8000,))
    assert not is_own_page("ftp://localhost:8000", (8000,))


def answered(
    scope: dict[str, Any], *, links: bool = False, port: int = 4566
) -> tuple[list[dict[str, Any]], bool]:
    """Return the messages that a client gets, and whether the application was asked."""
    asked = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        headers = [(b"Access-Control-Allow-Origin", b"*"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"kept"})

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> dict[str, Any]:
        return {}

    door = Admission(application, Settings(port=port, service_port=8000), links=links)
    asyncio.run(door(scope, receive, send))
    return sent, bool(asked)


def request(**headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": "/", "headers": pairs}


def test_no_page_reads_an_answer_by_cors() -> None:
    (start, body), asked = answered(request(host="127.0.0.1:4566"))
    assert asked
    assert start["headers"] == [(b"content-type", b"text/plain")]
    assert body["body"] == b"kept"


def test_own_pages_keep_the_cors_headers() -> None:
    (start, _), _ = answered(request(host="127.0.0.1:4566", origin="http://127.0.0.1:8000"))
    assert (b"Access-Control-Allow-Origin", b"*") in start["headers"]


def test_a_refused_request_never_reaches_the_application() -> None:
    (start, body), asked = answered(request(host="127.0.0.1:4566", Origin="https://evil.example"))
    assert not asked
    assert start["status"] == 403
    assert b"https://evil.example" in body["body"]


def test_a_link_that_posts_is_refused() -> None:
    foreign = request(host="localhost:8000", sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert not answered(foreign, links=True)[1]
    assert answered({**foreign, "method": "GET"}, links=True)[1]


def test_a_foreign_websocket_is_closed_before_its_handshake() -> None:
    scope = {**request(host="127.0.0.1:4566", origin="https://evil.example"), "type": "websocket"}
    assert answered(scope) == ([{"type": "websocket.close", "code": 1008}], False)


class Echo:
    """A model that remembers whether it was asked."""

    asked = 0

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> loopback_server.Answer:
        self.asked += 1
        return loopback_server.Answer(200, "text/plain", body)

    def execution_parameters(self) -> None:
        """It has none."""


@pytest.fixture
def container() -> Iterator[tuple[str, Echo]]:
    model = Echo()
    handler = type("Handler", (loopback_server._Handler,), {"model": model})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}", model
    server.shutdown()
    server.server_close()


def post(address: str, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.request("POST", path, b"{}", headers)
    return connection.getresponse().status


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_a_page_cannot_ask_a_container(container: tuple[str, Echo], headers: dict[str, str]) -> None:
    address, model = container
    assert post(address, "/invocations", **headers) == 403
    assert model.asked == 0
    assert post(address, "/invocations") == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_a_page_cannot_answer_for_a_function(headers: dict[str, str]) -> None:
    api = RuntimeApi("127.0.0.1")
    path = "/2018-06-01/runtime/invocation/r-1/response"
    try:
        assert post(api.address, path, **headers) == 403
        assert api.answer(0.1) is None
        assert post(api.address, path) == 202
        assert api.answer(1.0) is not None
    finally:
        api.close()


def test_who_sends_half_a_body_is_answered_and_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "_BODY_SECONDS", 0.05)
    parts = iter([{"type": "http.request", "body": b"half", "more_body": True}])
    sent: list[Any] = []

    async def receive() -> Any:
        for part in parts:
            return part
        return await asyncio.Event().wait()

    async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"host", b"127.0.0.1:4566")]}
    asyncio.run(Admission(reads_all, Settings(home=tmp_path))(scope, receive, send))

    assert sent[0]["status"] == 408
    assert b"no more of the body" in sent[1]["body"]


def test_who_has_sent_all_waits_for_an_answer_as_long_as_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "_BODY_SECONDS", 0.01)
    parts = iter([{"type": "http.request", "body": b"all", "more_body": False}])
    heard: list[str] = []

    async def receive() -> Any:
        for part in parts:
            return part
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        heard.append((await receive())["type"])

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"host", b"127.0.0.1:4566")]}
    asyncio.run(Admission(application, Settings(home=tmp_path))(scope, receive, send))

    assert heard == ["http.disconnect"]
