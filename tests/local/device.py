"""A device: paho with a certificate that AWS IoT made for it."""

import json
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.local.laptop import Laptop
from tests.local.waiting import until

NAME = "pump-7"
PUBLISHES_PER_SECOND = 75
"""IoT discards what is beyond 100 a second and connection."""
ON_THEIR_WAY = 20
"""Messages that are not acknowledged yet: a broker that stood still reads no more of them at once."""


@contextmanager
def connected(laptop: Laptop, topic: str, folder: Path) -> Iterator[mqtt.Client]:
    """Make a thing that may publish to one topic, and connect as it."""
    iot = laptop.client("iot")
    arn = f"arn:aws:iot:us-east-1:{laptop.cloud.settings.account}"
    allowed = [("iot:Connect", f"{arn}:client/{NAME}"), ("iot:Publish", f"{arn}:topic/{topic}")]
    statements = [{"Effect": "Allow", "Action": action, "Resource": where} for action, where in allowed]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iot.create_policy(policyName=NAME, policyDocument=policy)
    iot.create_thing(thingName=NAME)
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=NAME, target=made["certificateArn"])
    iot.attach_thing_principal(thingName=NAME, principal=made["certificateArn"])
    files = {"certificate": made["certificatePem"], "key": made["keyPair"]["PrivateKey"]}
    with urlopen(f"{laptop.cloud.settings.endpoint_url}/_ministack/iot/ca.pem") as answer:
        files["authority"] = answer.read().decode()
    for name, content in files.items():
        (folder / name).write_text(content)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=NAME)
    client.tls_set(
        ca_certs=str(folder / "authority"),
        certfile=str(folder / "certificate"),
        keyfile=str(folder / "key"),
        cert_reqs=ssl.CERT_REQUIRED,
    )
    client.connect(laptop.cloud.settings.host, laptop.cloud.settings.mqtt_tls_port)
    client.loop_start()
    try:
        until(client.is_connected, what="the broker's acceptance of the certificate")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish(client: mqtt.Client, topic: str, messages: Iterable[bytes]) -> None:
    """Publish with QoS 1 and return when the broker has acknowledged every message."""
    sent: list[mqtt.MQTTMessageInfo] = []
    for message in messages:
        if len(sent) >= ON_THEIR_WAY:
            sent[-ON_THEIR_WAY].wait_for_publish(60)
        sent.append(client.publish(topic, message, qos=1))
        time.sleep(1 / PUBLISHES_PER_SECOND)
    for message in sent:
        message.wait_for_publish(60)
        assert message.is_published()
