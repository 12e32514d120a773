"""What survives the end of the server, and what does not."""

import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.contract.localcloud_sagemaker.api_requests import (
    container,
    create_config,
    create_endpoint,
    create_model,
    ended,
    training_request,
    unique,
    variant,
)
from tests.contract.localcloud_sagemaker.conftest import fill_bucket
from tests.contract.localcloud_sagemaker.gateway import Gateway, wait_until


@pytest.fixture(scope="module")
def own_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("restarted"))
    gateway.start()
    try:
        fill_bucket(gateway.client("s3"))
        yield gateway
    finally:
        gateway.end()


def invoked(gateway: Gateway, endpoint: str) -> bytes:
    answer = gateway.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Body=b"0"
    )
    return bytes(answer["Body"].read())


def test_sigkill_leaves_no_process_and_a_restart_serves_and_trains_again(own_gateway: Gateway) -> None:
    sagemaker = own_gateway.client("sagemaker")
    model = create_model(sagemaker, container(ADD="7"))
    endpoint = create_endpoint(sagemaker, create_config(sagemaker, variant(model)))
    sagemaker.delete_model(ModelName=model)  # what is in service does not need it
    job = unique("train")
    sagemaker.create_training_job(**training_request(job, sleep="1.5", grandchild_seconds="60"))
    wait_until(lambda: len(own_gateway.processes()) >= 5)  # two of the endpoint, three of the job
    running = own_gateway.processes()

    own_gateway.end(signal.SIGKILL)
    _, alive = psutil.wait_procs(running, timeout=10)
    assert alive == []

    own_gateway.start()
    assert invoked(own_gateway, endpoint) == b"7.0"
    assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    trained = ended(sagemaker, "training", job)
    assert trained["TrainingJobStatus"] == "Completed"
    statuses = [transition["Status"] for transition in trained["SecondaryStatusTransitions"]]
    assert statuses.count("Starting") == 1


def test_update_that_the_server_left_is_carried_out_after_the_restart(own_gateway: Gateway) -> None:
    sagemaker = own_gateway.client("sagemaker")
    old, new = (
        create_config(sagemaker, variant(create_model(sagemaker, container(ADD=add)))) for add in ("1", "2")
    )
    endpoint = create_endpoint(sagemaker, old)
    sagemaker.update_endpoint(
        EndpointName=endpoint,
        EndpointConfigName=new,
        DeploymentConfig={
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "WaitIntervalInSeconds": 50,
                    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
                }
            }
        },
    )
    wait_until(
        lambda: sum(f"/endpoint/{endpoint}-" in item.info["cwd"] for item in own_gateway.processes()) == 4
    )
    own_gateway.end(signal.SIGKILL)
    own_gateway.start()
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService")
    assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"] == new
    assert invoked(own_gateway, endpoint) == b"2.0"


def test_orderly_end_leaves_no_process_and_keeps_running_jobs_unfinished(own_gateway: Gateway) -> None:
    sagemaker = own_gateway.client("sagemaker")
    create_endpoint(sagemaker, create_config(sagemaker, variant(create_model(sagemaker, container()))))
    job = unique("train")
    sagemaker.create_training_job(**training_request(job, sleep="60"))
    wait_until(lambda: len(own_gateway.processes()) >= 4)
    running = own_gateway.processes()
    own_gateway.end()
    _, alive = psutil.wait_procs(running, timeout=5)
    assert alive == []
    own_gateway.start()
    assert sagemaker.describe_training_job(TrainingJobName=job)["TrainingJobStatus"] == "InProgress"
    sagemaker.stop_training_job(TrainingJobName=job)
    assert ended(sagemaker, "training", job)["TrainingJobStatus"] == "Stopped"
