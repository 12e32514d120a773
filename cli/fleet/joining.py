"""A device's side of joining, and of having another certificate: a stock MQTT client and files, no AWS."""

from __future__ import annotations

import json
import queue
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cli.device import Broker, Identity
from cli.failures import StepFailedError
from lambdas.fleet.joining import SERIAL_NUMBER
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError

CERTIFICATE_FILE, KEY_FILE, DEVICE_FILE = "certificate.pem", "private.key", "device.json"
ANSWER_SECONDS = 30.0
CREATE = "$aws/certificates/create/json"
PROVISION = f"$aws/provisioning-templates/{layout.PROVISIONING_TEMPLATE}/provision/json"


def keep(folder: Path, certificate: str, key: str) -> None:
    """Write a certificate and its key, which its owner alone may read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CERTIFICATE_FILE).write_text(certificate)
    place = folder / KEY_FILE
    place.touch(mode=0o600)
    place.write_text(key)


def identity_in(folder: Path, client: str) -> Identity:
    """Return who a folder's certificate is, connected by a client id.

    Raises
    ------
    InvalidInputError
        If a file is missing.
    """
    for name in (CERTIFICATE_FILE, KEY_FILE):
        if not (folder / name).is_file():
            raise InvalidInputError(
                f"{folder / name}: no such file; `watchkeeper devices claim` writes a claim, and "
                "`watchkeeper devices join` a device's"
            )
    return Identity(client, folder / CERTIFICATE_FILE, folder / KEY_FILE)


def serial_number_in(folder: Path) -> str:
    """Return the serial number of the device whose files a folder has.

    Raises
    ------
    InvalidInputError
        If no device has joined there.
    """
    try:
        return str(json.loads((folder / DEVICE_FILE).read_text())["serial_number"])
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise InvalidInputError(
            f"{folder / DEVICE_FILE} is not of a device: `watchkeeper devices join` writes it"
        ) from error


def join(broker: Broker, claim: Path, serial_number: str, folder: Path) -> str:
    """Join the fleet by a claim, keep the device's own files, and connect with them; return its thing.

    Certificates that the thing has of before end: whoever was allowed again takes its place.

    Raises
    ------
    StepFailedError
        If the device is refused, or the broker does not answer.
    """
    with _connected(broker, identity_in(claim, layout.claim_client(serial_number))) as line:
        made = line.ask(CREATE, {})
        provisioned = line.ask(PROVISION, _request(made, serial_number))
    keep(folder, made["certificatePem"], made["privateKey"])
    thing = str(provisioned["thingName"])
    _note(folder, serial_number, thing, made["certificateId"])
    with _connected(broker, identity_in(folder, thing)) as line:
        line.tell(layout.device_topic(thing, "rotated"), {})
    return thing


def rotate(broker: Broker, folder: Path) -> str:
    """Have another certificate, use it, and let the former one end; return the new one's id.

    The former files stay until the new certificate is accepted.
    """
    serial_number = serial_number_in(folder)
    thing = layout.thing_name(serial_number)
    with _connected(broker, identity_in(folder, thing)) as line:
        made = line.ask(CREATE, {})
        line.ask(PROVISION, _request(made, serial_number))
    fresh = folder / "next"
    keep(fresh, made["certificatePem"], made["privateKey"])
    with _connected(broker, identity_in(fresh, thing)) as line:
        for name in (CERTIFICATE_FILE, KEY_FILE):
            (fresh / name).replace(folder / name)
        fresh.rmdir()
        _note(folder, serial_number, thing, made["certificateId"])
        line.tell(layout.device_topic(thing, "rotated"), {})
    return str(made["certificateId"])


def _request(made: dict[str, Any], serial_number: str) -> dict[str, Any]:
    return {
        "certificateOwnershipToken": made["certificateOwnershipToken"],
        "parameters": {SERIAL_NUMBER: serial_number},
    }


def _note(folder: Path, serial_number: str, thing: str, certificate_id: str) -> None:
    about = {"serial_number": serial_number, "thing": thing, "certificate_id": certificate_id}
    (folder / DEVICE_FILE).write_text(json.dumps(about, indent=1) + "\n")


@dataclass
class _Line:
    """A connection on which requests are answered."""

    client: mqtt.Client
    answers: queue.Queue[mqtt.MQTTMessage]

    def ask(self, topic: str, request: dict[str, Any]) -> dict[str, Any]:
        """Publish a request and return its answer; `StepFailedError` where it is refused."""
        subscribed: queue.Queue[object] = queue.Queue()
        self.client.on_subscribe = lambda *arguments: subscribed.put(arguments)
        self.client.subscribe([(f"{topic}/accepted", 1), (f"{topic}/rejected", 1)])
        self._within(subscribed, f"a subscription to {topic}/accepted")
        self.client.publish(topic, json.dumps(request), qos=1)
        message = self._within(self.answers, f"a request to {topic}")
        answer: dict[str, Any] = json.loads(message.payload)
        if message.topic.endswith("/rejected"):
            raise StepFailedError(
                f"AWS IoT refuses: {answer.get('errorCode')}: {answer.get('errorMessage')} ({topic}). A "
                "device joins once, while `watchkeeper devices list` has it as allowed"
            )
        return answer

    def tell(self, topic: str, message: dict[str, Any]) -> None:
        """Publish, and wait for the acknowledgement."""
        info = self.client.publish(topic, json.dumps(message), qos=1)
        info.wait_for_publish(ANSWER_SECONDS)
        if not info.is_published():
            raise StepFailedError(f"the MQTT broker has not acknowledged a message to {topic}")

    def _within(self, waiting: queue.Queue[Any], what: str) -> Any:
        try:
            return waiting.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            raise StepFailedError(
                f"the MQTT broker has not answered {what} for {ANSWER_SECONDS:.0f} seconds"
            ) from None


@contextmanager
def _connected(broker: Broker, identity: Identity) -> Iterator[_Line]:
    """Connect with a certificate; `StepFailedError` where the broker does not take it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=identity.name, protocol=mqtt.MQTTv5)
    client.tls_set(
        ca_certs=str(broker.ca_file),
        certfile=str(identity.certificate_file),
        keyfile=str(identity.key_file),
        cert_reqs=ssl.CERT_REQUIRED,
    )
    accepted: queue.Queue[ReasonCode] = queue.Queue()
    answers: queue.Queue[mqtt.MQTTMessage] = queue.Queue()

    def on_connect(
        _client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _properties: Properties | None
    ) -> None:
        accepted.put(code)

    client.on_connect = on_connect
    client.on_message = lambda _client, _data, message: answers.put(message)
    refused = f"the MQTT broker {broker.host}:{broker.port} does not take the certificate of {identity.name}"
    try:
        client.connect(broker.host, broker.port, keepalive=60)
    except OSError as error:
        raise StepFailedError(f"{refused}: {error}") from error
    client.loop_start()
    try:
        code = accepted.get(timeout=ANSWER_SECONDS)
        if code.is_failure:
            raise StepFailedError(f"{refused}: {code}")
        yield _Line(client, answers)
    except queue.Empty:
        raise StepFailedError(f"{refused}: no answer for {ANSWER_SECONDS:.0f} seconds") from None
    finally:
        client.disconnect()
        client.loop_stop()
