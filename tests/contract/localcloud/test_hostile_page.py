"""What a web page in the developer's browser can send to a running laptop: every listener refuses it."""

from __future__ import annotations

import http.client
import json
import stat
from collections.abc import Iterator

import psutil
import pytest

from tests.contract.localcloud.cloud import Cloud, running_cloud

EVIL = "https://evil.example"
PAGES = {
    "form": {"Origin": EVIL, "Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"},
    "image": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "rebound name": {"Host": "evil.example:4566"},
    "sandboxed frame": {"Origin": "null"},
    "another port": {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
    "web socket": {
        "Origin": EVIL,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "mqtt",
    },
}
FUNCTION = json.dumps(
    {
        "FunctionName": "implant",
        "Runtime": "python3.11",
        "Role": "arn:aws:iam::123456789012:role/any",
        "Handler": "function.handle",
        "Code": {"ZipFile": ""},
    }
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("hostile") / "home") as found:
        yield found


def listening(cloud: Cloud) -> list[int]:
    """Return the ports of all processes of the cloud, but the one that takes client certificates only."""
    server = cloud.server()
    ports = {
        connection.laddr.port
        for process in [server, *server.children(recursive=True)]
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert ports >= {cloud.settings.port, cloud.settings.service_port}
    return sorted(ports - {cloud.settings.mqtt_tls_port})


def ask(
    port: int, method: str, path: str, headers: dict[str, str], body: str = ""
) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("page", PAGES)
def test_every_listener_refuses_a_page(cloud: Cloud, page: str) -> None:
    for port in listening(cloud):
        for method, path in [
            ("GET", "/"),
            ("GET", "/_localcloud/status"),
            ("POST", "/_ministack/reset"),
            ("GET", "/mqtt"),
        ]:
            status, headers = ask(port, method, path, PAGES[page])
            assert status == 403, f"{port} {method} {path}"
            assert not [name for name in headers if name.startswith("access-control-")]


def test_a_page_plants_no_function(cloud: Cloud) -> None:
    status, _ = ask(cloud.settings.port, "POST", "/2015-03-31/functions", PAGES["form"], FUNCTION)
    assert status == 403
    assert cloud.client("lambda").list_functions()["Functions"] == []


def test_a_preflight_promises_nothing(cloud: Cloud) -> None:
    asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    status, headers = ask(cloud.settings.port, "OPTIONS", "/", asked)
    assert status == 403
    assert "access-control-allow-origin" not in headers


def test_programs_get_no_word_for_pages(cloud: Cloud) -> None:
    status, headers = ask(cloud.settings.port, "GET", "/_localcloud/ready", {})
    assert status == 200
    assert "access-control-allow-origin" not in headers


def test_state_is_for_this_user_alone(cloud: Cloud) -> None:
    cloud.client("sqs").create_queue(QueueName="private")
    home = cloud.settings.home
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.name == "cognito-rsa-key.pem" for path in files)
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
