"""Training again is safe: the champion is compared, the endpoint stays one, what is retired is removed."""

import pytest

from tests.local.histories import machine_temperature
from tests.local.laptop import Laptop
from tests.local.training import champion, train, upload
from watchkeeper.core import layout

pytestmark = pytest.mark.local

WORKLOAD = "machine_temperature"
PREFIX = layout.endpoint_name(WORKLOAD)


def test_trainings_of_the_same_history_keep_one_endpoint_and_two_models(laptop: Laptop) -> None:
    champion(laptop, WORKLOAD, machine_temperature())
    upload(laptop, WORKLOAD, machine_temperature())

    first, second = (train(laptop, WORKLOAD, reason="again") for _ in range(2))

    for outcome in (first, second):
        assert (outcome.status, outcome.cause) == ("SUCCEEDED", "")
        assert outcome.states[-1] == "Deployed"
        assert any("is at least the champion's" in reason for reason in outcome.output["decision"]["reasons"])
    names, old_names = (outcome.output["run"]["names"] for outcome in (second, first))
    client = laptop.client("sagemaker")
    (endpoint,) = client.list_endpoints(NameContains=PREFIX)["Endpoints"]
    assert endpoint["EndpointName"] == names["endpoint"]
    live = client.describe_endpoint(EndpointName=names["endpoint"])
    assert (live["EndpointStatus"], live["EndpointConfigName"]) == ("InService", names["endpoint_config"])
    configurations = client.list_endpoint_configs(NameContains=PREFIX)["EndpointConfigs"]
    kept = {names["endpoint_config"], old_names["endpoint_config"]}
    assert {found["EndpointConfigName"] for found in configurations} == kept
    models = client.list_models(NameContains=PREFIX)["Models"]
    assert {found["ModelName"] for found in models} == {names["model"], old_names["model"]}
    release = laptop.live(WORKLOAD)
    assert release is not None
    assert release.run_id == second.output["run"]["run_id"]
