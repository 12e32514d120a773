"""The guide of the first deployment is true: each command does on an empty laptop what the page says."""

from pathlib import Path

import boto3
import pytest

from tests.aws.guide import Walk
from tests.aws.test_first_deployment import GUIDE, left_in, until_the_alert
from tests.contract.localcloud.cloud import running_cloud
from tests.local.laptop import client_environment

pytestmark = pytest.mark.local


def test_the_guide_of_the_first_deployment_is_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_cloud(tmp_path / "home") as cloud:
        for name, value in client_environment(cloud.settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("WATCHKEEPER_STAGE", "laptop")
        monkeypatch.setenv("WATCHKEEPER_MQTT_HOST", cloud.settings.host)
        monkeypatch.setenv("WATCHKEEPER_MQTT_PORT", str(cloud.settings.mqtt_tls_port))
        authority = f"{cloud.settings.endpoint_url}/_ministack/iot/ca.pem"
        monkeypatch.setenv("WATCHKEEPER_MQTT_CA", authority)
        session = boto3.Session()
        walk = Walk(GUIDE, tmp_path / "record.json")

        for step in walk.ahead():
            until_the_alert(walk, step, session)

        assert len(walk.done()) == 6
        assert left_in(session) == []
