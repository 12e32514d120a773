"""A device: a thing with a certificate that may publish over MQTT, and the broker that it connects to."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import boto3
from botocore.exceptions import ClientError

from cli.failures import StepFailedError
from watchkeeper.command.screen import complain
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import AnomalyWorkload

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

MQTT_PORT = 8883
SETTLE_SECONDS = 30.0
"""IoT detaches in the background: for so long what was just detached may not be removed."""
_SETTLING = frozenset({"InvalidRequestException", "DeleteConflictException", "CertificateStateException"})
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
    document = json.dumps(_policy(arn, name, topic))
    policy = f"{name}-{layout.short_hash(document)}"
    _make_policy(iot, policy, document)
    iot.create_thing(thingName=name)
    certificate = iot.create_keys_and_certificate(setAsActive=True)
    certificate_arn, certificate_id = certificate["certificateArn"], certificate["certificateId"]
    try:
        iot.attach_policy(policyName=policy, target=certificate_arn)
        iot.attach_thing_principal(thingName=name, principal=certificate_arn)
        with tempfile.TemporaryDirectory(prefix="watchkeeper-device-") as folder:
            certificate_file, key_file = Path(folder, "certificate.pem"), Path(folder, "private.key")
            certificate_file.write_text(certificate["certificatePem"])
            key_file.touch(mode=0o600)
            key_file.write_text(certificate["keyPair"]["PrivateKey"])
            yield Identity(name, certificate_file, key_file)
    finally:
        _remove(
            {
                f"thing {name} of its certificate": partial(
                    iot.detach_thing_principal, thingName=name, principal=certificate_arn
                ),
                f"policy {policy} of its certificate": partial(
                    iot.detach_policy, policyName=policy, target=certificate_arn
                ),
                f"active certificate {certificate_id}": partial(
                    iot.update_certificate, certificateId=certificate_id, newStatus="INACTIVE"
                ),
                f"certificate {certificate_id}": partial(
                    iot.delete_certificate, certificateId=certificate_id, forceDelete=True
                ),
                f"thing {name}": partial(iot.delete_thing, thingName=name),
                f"policy {policy}": partial(iot.delete_policy, policyName=policy),
            }
        )


def _remove(removals: Mapping[str, Callable[[], object]], pause: float = 0.5) -> None:
    """Carry out each removal, again while IoT settles; go on after one that fails, and say what is left."""
    deadline = time.monotonic() + SETTLE_SECONDS
    for what, remove in removals.items():
        while True:
            try:
                remove()
            except ClientError as error:
                if error.response["Error"]["Code"] in _SETTLING and time.monotonic() < deadline:
                    time.sleep(pause)
                    pause = min(2 * pause, 8.0)
                    continue
                complain(f"left in IoT: {what} ({error})")
            break


def broker_of(session: boto3.Session, host: str | None, port: int | None, authority: str | None) -> Broker:
    """Return where devices of the account connect; what is given wins over what IoT says.

    Parameters
    ----------
    authority
        Path or URL of the broker's certificate authority (PEM); Amazon's without one.

    Raises
    ------
    StepFailedError
        If the certificate authority cannot be read.
    """
    if host is None:
        host = session.client("iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    return Broker(host, port or MQTT_PORT, _authority_file(authority or AMAZON_ROOT_CA))


def topic_of(spec: AnomalyWorkload, device: str) -> str:
    """Return where a device publishes a workload's telemetry: its topic, or its rule by Basic Ingest.

    Raises
    ------
    InvalidInputError
        If its telemetry comes from elsewhere.
    """
    if spec.source.topic is None:
        raise InvalidInputError(
            f"no device publishes for {spec.name}: its telemetry comes from source.{spec.source.place}"
        )
    topic = concrete_topic(spec.source.topic, device)
    return layout.basic_ingest_topic(spec.name, topic) if spec.source.basic_ingest else topic


def concrete_topic(topic_filter: str, device: str) -> str:
    """Return a topic that a filter matches: wildcards become the device's name."""
    return "/".join(device if level in ("+", "#") else level for level in topic_filter.split("/"))


def _policy(arn: str, name: str, topic: str) -> dict[str, object]:
    statements: Sequence[tuple[str, str]] = (
        ("iot:Connect", f"{arn}:client/{name}-*"),
        ("iot:Publish", f"{arn}:topic/{topic}"),
    )
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in statements],
    }


def _make_policy(iot: IoTClient, name: str, document: str) -> None:
    try:
        iot.create_policy(policyName=name, policyDocument=document)
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
