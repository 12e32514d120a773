"""A device's life on the laptop, with a stock MQTT client: it joins by a claim, publishes, is quarantined and
restored, has another certificate, and is revoked; who lacks a permission gets nowhere."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner

from cli.device import Broker, broker_of
from cli.failures import StepFailedError
from cli.fleet import joining
from cli.main import app
from tests.local.beside import WATCHED
from tests.local.laptop import Laptop
from tests.local.scored import lines
from tests.local.waiting import until
from watchkeeper.core import layout
from watchkeeper.telemetry.series import parse_series_key

pytestmark = pytest.mark.local

SERIAL_NUMBER, SITE = "A17", "hall-2"
THING = layout.thing_name(SERIAL_NUMBER)
TOPIC = layout.device_topic(THING, "readings")


@pytest.fixture
def broker(laptop: Laptop) -> Broker:
    return broker_of(laptop.session, *place(laptop))


def place(laptop: Laptop) -> tuple[str, int, str]:
    """Return host and port of the broker, and where its authority is."""
    settings = laptop.cloud.settings
    return settings.host, settings.mqtt_tls_port, f"{settings.endpoint_url}/_ministack/iot/ca.pem"


def watchkeeper(*arguments: str) -> str:
    """Run the command in this process, which has the laptop's environment; return what it writes."""
    done = CliRunner().invoke(app, ["devices", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


class Device:
    """A device that is connected, or tried to be."""

    def __init__(self, client: mqtt.Client) -> None:
        self.client = client
        self.ended: list[str] = []
        client.on_disconnect = lambda *told: self.ended.append(str(told[3]))

    def sends(self, topic: str, message: bytes = b'{"value": 1}') -> bool:
        """Publish, and tell whether the broker takes it."""
        answers: list[Any] = []
        self.client.on_publish = lambda *told: answers.append(told[3])
        self.client.publish(topic, message, qos=1)
        until(lambda: answers or self.ended, what="an answer to a message", seconds=30)
        return bool(answers) and not answers[0].is_failure


@contextmanager
def connected(broker: Broker, folder: Path, client_id: str = THING) -> Iterator[Device]:
    """Connect with the files of a folder; a broker that does not take them ends the connection."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
    client.tls_set(
        ca_certs=str(broker.ca_file),
        certfile=str(folder / joining.CERTIFICATE_FILE),
        keyfile=str(folder / joining.KEY_FILE),
        cert_reqs=ssl.CERT_REQUIRED,
    )
    client.reconnect_delay_set(60, 60)  # what ended does not come again by itself
    device = Device(client)
    refused: list[object] = []
    client.on_connect = lambda *told: refused.append(told[3]) if told[3].is_failure else None
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        until(
            lambda: client.is_connected() or refused or device.ended, what="the broker's answer", seconds=30
        )
        yield device
    finally:
        client.disconnect()
        client.loop_stop()


def state() -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(watchkeeper("show", SERIAL_NUMBER, "--json"))
    return shown


def test_a_device_joins_is_quarantined_restored_rotated_and_revoked(
    laptop: Laptop, broker: Broker, tmp_path: Path
) -> None:
    claim, own = tmp_path / "claim", tmp_path / "A17"
    (tmp_path / "fleet.csv").write_text(f"serial_number,site\n{SERIAL_NUMBER},{SITE}\n")
    watchkeeper("allow", "--again", str(tmp_path / "fleet.csv"))
    watchkeeper("claim", str(claim))

    # who is not on the list does not join, and a claim is good for nothing else
    with pytest.raises(StepFailedError, match="AccessDenied"):
        joining.join(broker, claim, "B99", tmp_path / "B99")
    with connected(broker, claim) as device:
        assert not device.client.is_connected()
    with connected(broker, claim, layout.claim_client("B99")) as device:
        assert device.client.is_connected()
        assert not device.sends(TOPIC)

    host, port, authority = place(laptop)
    at = ("--host", host, "--port", str(port), "--ca", authority)
    watchkeeper("join", str(own), "--serial-number", SERIAL_NUMBER, "--claim", str(claim), *at)
    with pytest.raises(StepFailedError, match="AccessDenied"):  # each serial number once
        joining.join(broker, claim, SERIAL_NUMBER, tmp_path / "twin")
    shown = state()
    assert shown["state"] == "joined"
    assert shown["device"]["attributes"] == {"serial_number": SERIAL_NUMBER, "site": SITE}

    with connected(broker, own) as device:
        assert device.sends(TOPIC)
        assert not device.sends(layout.device_topic(layout.thing_name("other"), "readings"))
        watchkeeper("quarantine", SERIAL_NUMBER)
        until(lambda: device.ended, what="the end of a quarantined device's connection", seconds=30)
    with connected(broker, own) as device:
        assert not device.client.is_connected()
    watchkeeper("restore", SERIAL_NUMBER)

    former = tmp_path / "former"
    joining.keep(former, *(own.joinpath(name).read_text() for name in ("certificate.pem", "private.key")))
    watchkeeper("rotate", str(own), *at)
    until(lambda: len(state()["certificates"]) == 1, what="the end of the former certificate", seconds=60)
    with connected(broker, former) as device:
        assert not device.client.is_connected()

    with connected(broker, own) as device:
        assert device.sends(TOPIC)
        watchkeeper("revoke", SERIAL_NUMBER)
        until(lambda: device.ended, what="the end of a revoked device's connection", seconds=30)
    with connected(broker, own) as device:
        assert not device.client.is_connected()
    assert set(state()["certificates"].values()) == {"REVOKED"}
    with pytest.raises(StepFailedError, match="AccessDenied"):
        joining.join(broker, claim, SERIAL_NUMBER, tmp_path / "again")

    watchkeeper("remove", SERIAL_NUMBER)
    assert laptop.client("iot").list_things_in_thing_group(thingGroupName=layout.DEVICES)["things"] == []


def test_an_anomaly_of_its_behaviour_quarantines_a_device(
    laptop: Laptop, broker: Broker, tmp_path: Path
) -> None:
    (tmp_path / "fleet.csv").write_text(f"serial_number,site\nF1,{SITE}\nF2,{SITE}\n")
    watchkeeper("allow", "--again", str(tmp_path / "fleet.csv"))
    watchkeeper("claim", str(tmp_path / "claim"))
    for serial_number in ("F1", "F2"):
        joining.join(broker, tmp_path / "claim", serial_number, tmp_path / serial_number)
    loud, calm = layout.thing_name("F1"), layout.thing_name("F2")
    command = {"topic": layout.device_topic(calm, f"{layout.COMMANDS}/report"), "qos": 1, "payload": b"{}"}

    with (
        connected(broker, tmp_path / "F1", loud) as flooding,
        connected(broker, tmp_path / "F2", calm) as usual,
    ):
        assert usual.sends(layout.device_topic(calm, "metrics"), b'{"battery": 81}')
        laptop.client("iot-data").publish(**command)
        for _ in range(60):  # in two intervals at most
            flooding.client.publish(layout.device_topic(loud, "readings"), b"{}", qos=1)

        def ended() -> bool:
            """The interval of the flood is judged when a message of a later one comes."""
            return bool(flooding.ended) or not flooding.sends(layout.device_topic(loud, "readings"))

        until(ended, what="the quarantine of a device that floods", every=2)
        assert usual.sends(layout.device_topic(calm, "readings"))

    shown = {each["serial_number"]: each["state"] for each in json.loads(watchkeeper("list", "--json"))}
    assert (shown["F1"], shown["F2"]) == ("quarantined", "joined")
    with connected(broker, tmp_path / "F1", loud) as device:
        assert not device.client.is_connected()
    watchkeeper("restore", "F1")
    with connected(broker, tmp_path / "F1", loud) as device:
        assert device.sends(layout.device_topic(loud, "readings"))

    with connected(broker, tmp_path / "F2", calm) as usual:  # which closes the intervals before
        assert usual.sends(layout.device_topic(calm, "readings"))
        laptop.client("iot-data").publish(**command)

    def seen() -> set[str]:
        """Return what was seen of the calm device, in intervals that are closed."""
        return {
            parse_series_key(line.series).measure
            for line in lines(laptop, WATCHED).values()
            if f"device={calm}" in line.series and line.value
        }

    expected = {"messages_sent", "bytes_sent", "messages_received", "connection_attempts", "source_addresses"}
    until(lambda: expected <= seen(), what="behaviours of the other device", every=1)
    for serial_number in ("F1", "F2"):
        watchkeeper("remove", serial_number)
