"""The end: `down` leaves no process and `up` goes on; `destroy` leaves nothing that the pipeline made.

It runs last: the files run in the order of their names.
"""

from typing import Any

import psutil
import pytest

from tests.local.histories import machine_temperature
from tests.local.laptop import Laptop
from tests.local.receivers import Receivers
from tests.local.training import champion
from watchkeeper.core import layout

pytestmark = pytest.mark.local

WORKLOAD, ROW = "machine_temperature", "2013-12-02 21:15:00, 75"


def stacks(laptop: Laptop) -> list[str]:
    """Return the stacks of the application that exist."""
    found = laptop.client("cloudformation").describe_stacks()["Stacks"]
    return [stack["StackName"] for stack in found if stack["StackName"].startswith("Watchkeeper")]


def left_in_sagemaker(laptop: Laptop) -> dict[str, list[Any]]:
    client = laptop.client("sagemaker")
    return {
        "endpoints": client.list_endpoints()["Endpoints"],
        "configurations": client.list_endpoint_configs()["EndpointConfigs"],
        "models": client.list_models()["Models"],
        "packages": client.list_model_packages()["ModelPackageSummaryList"],
        "groups": client.list_model_package_groups()["ModelPackageGroupSummaryList"],
    }


def left_of_the_stacks(laptop: Laptop) -> dict[str, list[Any]]:
    """Return what there is of the kinds that the stacks make, but for what keeps data."""
    parameters = laptop.client("ssm").get_parameters_by_path(Path="/watchkeeper", Recursive=True)
    return {
        "state machines": laptop.client("stepfunctions").list_state_machines()["stateMachines"],
        "functions": laptop.client("lambda").list_functions()["Functions"],
        "queues": laptop.client("sqs").list_queues().get("QueueUrls", []),
        "topics": laptop.client("sns").list_topics()["Topics"],
        "topic rules": laptop.client("iot").list_topic_rules()["rules"],
        "devices": [
            thing["thingName"]
            for thing in laptop.client("iot").list_things()["things"]
            if thing["thingName"].startswith(layout.thing_name(""))
        ],
        "thing groups": laptop.client("iot").list_thing_groups()["thingGroups"],
        "provisioning templates": laptop.client("iot").list_provisioning_templates()["templates"],
        "streams": laptop.client("firehose").list_delivery_streams()["DeliveryStreamNames"],
        "alarms": laptop.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "dashboards": laptop.client("cloudwatch").list_dashboards()["DashboardEntries"],
        "parameters": parameters["Parameters"],
        "schedules": laptop.client("scheduler").list_schedules()["Schedules"],
    }


def buckets(laptop: Laptop) -> list[str]:
    """Return the buckets of the project's stacks; the CDK's own and a guide's notebook have others."""
    names = [found["Name"] for found in laptop.client("s3").list_buckets()["Buckets"]]
    return [name for name in names if name.startswith("watchkeeper")]


def test_down_leaves_no_process_and_up_serves_what_was_there(laptop: Laptop) -> None:
    champion(laptop, WORKLOAD, machine_temperature())
    score, family = laptop.ask(WORKLOAD, ROW), laptop.processes()
    listening = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }

    laptop.cloud.stop()

    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    assert len(family) > 5  # supervisor, server, functions, and the endpoint's containers
    assert listening == {"127.0.0.1"}
    laptop.cloud.start()
    assert laptop.ask(WORKLOAD, ROW) == score


def test_destroy_leaves_only_data_which_a_deployment_adopts_and_then_nothing(
    laptop: Laptop, alert_receivers: Receivers
) -> None:
    alert_receivers.ending.close()
    champion(laptop, WORKLOAD, machine_temperature())
    data = laptop.bucket

    laptop.watchkeeper("destroy", "--yes")

    assert stacks(laptop) == []
    assert {kind: found for kind, found in left_in_sagemaker(laptop).items() if found} == {}
    assert {kind: found for kind, found in left_of_the_stacks(laptop).items() if found} == {}
    assert data in buckets(laptop)
    assert laptop.keys(layout.history_prefix(WORKLOAD))

    laptop.deploy(WORKLOAD)

    assert laptop.bucket == data, "what was kept is adopted"
    assert laptop.keys(layout.history_prefix(WORKLOAD))

    laptop.watchkeeper("destroy", "--delete-data", "--yes")

    assert buckets(laptop) == []
    assert laptop.client("dynamodb").list_tables()["TableNames"] == []
