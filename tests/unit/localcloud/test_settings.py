from pathlib import Path

import pytest

from localcloud.environment import server_environment
from localcloud.settings import Settings, SettingsError


def test_takes_values_from_the_environment() -> None:
    found = Settings.from_environment({"LOCALCLOUD_PORT": "5000", "LOCALCLOUD_HOME": "/tmp/x", "OTHER": "1"})

    assert (found.port, found.home) == (5000, Path("/tmp/x"))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("HOST", "0.0.0.0", "loopback"),
        ("HOST", "example.com", "loopback"),
        ("PORT", "many", "type int"),
        ("PORT", "70000", "1 to 65535"),
        ("MQTT_TLS_PORT", "4566", "different ports"),
        ("SERVICE_PORT", "8883", "different ports"),
        ("ACCOUNT", "1234", "12 digits"),
        ("TIME_SCALE", "0", "greater than 0"),
        ("FIREHOSE_INTERVAL_SECONDS", "-1", "not be less than 0"),
        ("TEMPLATE_IDLE_SECONDS", "-1", "not be less than 0"),
        ("PROT", "4566", "no such setting"),
    ],
)
def test_refuses_a_value_that_cannot_work_and_names_the_variable(name: str, value: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as refusal:
        Settings.from_environment({f"LOCALCLOUD_{name}": value})

    assert f"LOCALCLOUD_{name}" in str(refusal.value)


def test_server_does_not_inherit_the_users_environment() -> None:
    found = server_environment(Settings(), {"PATH": "/bin", "AWS_PROFILE": "work", "TOKEN": "x"})

    assert found["PATH"] == "/bin"
    assert found["BIND_HOST"] == "127.0.0.1"
    assert not {"AWS_PROFILE", "TOKEN"} & set(found)
