"""A device: a thing with a certificate that publishes over MQTT, as real ones do."""

from __future__ import annotations

import json
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
import paho.mqtt.client as mqtt
from botocore.exceptions import ClientError
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cli.failures import StepFailedError
from watchkeeper.core import layout

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

MQTT_PORT = 8883
CONNECT_SECONDS = 30.0
ACKNOWLEDGE_SECONDS = 60.0
IN_FLIGHT = 100
"""Messages that may wait for their acknowledgement; AWS IoT allows a connection 100."""
AMAZON_ROOT_CA = "https://www.amazontrust.com/repository/AmazonRootCA1.pem"


@dataclass(frozen=True)
class Broker:
    """Where devices connect."""

    host: str
    port: int
    ca_file: Path


@dataclass(frozen=True)
class Identity:
    """A thing and the files it proves itself with."""

    name: str
    certificate_file: Path
    key_file: Path


@contextmanager
def provisioned(session: boto3.Session, workload: str, topic: str) -> Iterator[Identity]:
    """Make a thing with a certificate that may publish to one topic; take all of it back at the end."""
    iot = session.client("iot")
    name = f"{layout.PREFIX}-{layout.dashed(workload)}-replay"
    account = session.client("sts").get_caller_identity()["Account"]
    arn = f"arn:{session.get_partition_for_region(iot.meta.region_name)}:iot:{iot.meta.region_name}:{account}"
    _make_policy(iot, name, _policy(arn, name, topic))
    iot.create_thing(thingName=name)
    certificate = iot.create_keys_and_certificate(setAsActive=True)
    certificate_arn, certificate_id = certificate["certificateArn"], certificate["certificateId"]
    try:
        iot.attach_policy(policyName=name, target=certificate_arn)
        iot.attach_thing_principal(thingName=name, principal=certificate_arn)
        with tempfile.TemporaryDirectory(prefix="watchkeeper-device-") as folder:
            certificate_file, key_file = Path(folder, "certificate.pem"), Path(folder, "private.key")
            certificate_file.write_text(certificate["certificatePem"])
            key_file.touch(mode=0o600)
            key_file.write_text(certificate["keyPair"]["PrivateKey"])
            yield Identity(name, certificate_file, key_file)
    finally:
        iot.detach_thing_principal(thingName=name, principal=certificate_arn)
        iot.detach_policy(policyName=name, target=certificate_arn)
        iot.update_certificate(certificateId=certificate_id, newStatus="INACTIVE")
        iot.delete_certificate(certificateId=certificate_id, forceDelete=True)
        iot.delete_thing(thingName=name)
        iot.delete_policy(policyName=name)


def broker_of(session: boto3.Session, host: str | None, port: int | None, authority: str | None) -> Broker:
    """Return where devices of the account connect; what is given wins over what IoT says.

    Where the IoT API is not AWS's own (`AWS_ENDPOINT_URL`), its devices connect to the host of that API.

    Parameters
    ----------
    authority
        Path or URL of the broker's certificate authority (PEM); Amazon's without one.

    Raises
    ------
    StepFailedError
        If the certificate authority cannot be read.
    """
    iot = session.client("iot")
    if host is None:
        api = urlsplit(iot.meta.endpoint_url).hostname or ""
        own = api.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        host = iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"] if own else api
    return Broker(host, port or MQTT_PORT, _authority_file(authority or AMAZON_ROOT_CA))


class Publisher:
    """Publishes with QoS 1, and waits when too many messages are not acknowledged."""

    def __init__(self, broker: Broker, identity: Identity) -> None:
        self._broker = broker
        self._window = threading.BoundedSemaphore(IN_FLIGHT)
        self._connected = threading.Event()
        self._refused: str | None = None
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=identity.name, clean_session=False)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.tls_set(
            ca_certs=str(broker.ca_file),
            certfile=str(identity.certificate_file),
            keyfile=str(identity.key_file),
            cert_reqs=ssl.CERT_REQUIRED,
        )
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish

    def __enter__(self) -> Publisher:
        """Connect; `StepFailedError` when the broker does not take the certificate in time."""
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=60)
        except OSError as error:
            raise StepFailedError(
                f"MQTT broker {self._broker.host}:{self._broker.port} cannot be reached: {error}"
            ) from error
        self._client.loop_start()
        if not self._connected.wait(CONNECT_SECONDS) or self._refused:
            self._client.loop_stop()
            raise StepFailedError(
                f"MQTT broker {self._broker.host}:{self._broker.port} did not accept the device: "
                f"{self._refused or 'no answer'}"
            )
        return self

    def __exit__(self, *exception: object) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message over; blocks while the window is full.

        Raises
        ------
        StepFailedError
            If no acknowledgement comes in time.
        """
        self._take_slot()
        self._client.publish(topic, payload, qos=1)

    def drain(self) -> None:
        """Wait until every message is acknowledged; see `publish`."""
        for _ in range(IN_FLIGHT):
            self._take_slot()
        for _ in range(IN_FLIGHT):
            self._window.release()

    def _take_slot(self) -> None:
        if not self._window.acquire(timeout=ACKNOWLEDGE_SECONDS):
            raise StepFailedError(
                f"the MQTT broker has acknowledged nothing for {ACKNOWLEDGE_SECONDS:.0f} seconds"
            )

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: object,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._refused = str(code)
        self._connected.set()

    def _on_publish(
        self, client: mqtt.Client, userdata: object, mid: int, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._window.release()


class Pace:
    """Waits so that event time passes `speed` times as fast as the clock; without a speed, not at all."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._started = time.monotonic()

    def wait_for(self, elapsed_event_seconds: float) -> None:
        """Wait until it is time for an event so long after the first one."""
        if self._speed is not None:
            due = self._started + elapsed_event_seconds / self._speed
            time.sleep(max(0.0, due - time.monotonic()))


def concrete_topic(topic_filter: str, device: str) -> str:
    """Return a topic that a filter matches: wildcards become the device's name."""
    return "/".join(device if level in ("+", "#") else level for level in topic_filter.split("/"))


def _policy(arn: str, name: str, topic: str) -> dict[str, object]:
    statements: Sequence[tuple[str, str]] = (
        ("iot:Connect", f"{arn}:client/{name}"),
        ("iot:Publish", f"{arn}:topic/{topic}"),
    )
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in statements],
    }


def _make_policy(iot: IoTClient, name: str, document: dict[str, object]) -> None:
    try:
        iot.create_policy(policyName=name, policyDocument=json.dumps(document))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise


def _authority_file(place: str) -> Path:
    if not place.startswith(("https://", "http://")):
        if not Path(place).is_file():
            raise StepFailedError(
                f"{place}: no such file; it should hold the MQTT broker's certificate authority"
            )
        return Path(place)
    target = Path.home() / ".cache" / "watchkeeper" / f"ca-{layout.short_hash(place)}.pem"
    try:
        with urlopen(place, timeout=30) as answer:  # noqa: S310  # http and https only, see above
            content = answer.read()
    except OSError as error:
        raise StepFailedError(
            f"the certificate authority {place} cannot be downloaded: {error}; give it with --ca"
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target
