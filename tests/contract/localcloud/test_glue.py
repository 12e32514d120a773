"""Glue's jobs through boto3, CloudFormation and Step Functions; one test runs a script in Spark."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.images.registry import image_named
from localcloud.settings import Settings
from tests.contract.localcloud.cloud import Cloud, eventually, running_cloud

BUCKET = "glue-tests"
SCRIPT = """\
import argparse, sys, time
from pyspark.sql import SparkSession
from library import DOUBLE

parser = argparse.ArgumentParser()
parser.add_argument("--data")
arguments, _ = parser.parse_known_args()
spark = SparkSession.builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
rows = spark.read.option("header", True).csv(f"{arguments.data}/in/")
rows.selectExpr(f"a * {DOUBLE} AS a").coalesce(1).write.mode("overwrite").parquet(f"{arguments.data}/out")
print("rows", spark.read.parquet(f"{arguments.data}/out").count())
try:
    spark.read.text("s3://glue-tests/secret/x.txt").count()
except Exception as error:
    print("refused", "AccessControlException" in str(error) or "403" in str(error))
raise ValueError("the end")
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("glue")) as running:
        s3 = running.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="code/script.py", Body=SCRIPT.encode())
        s3.put_object(Bucket=BUCKET, Key="code/library.py", Body=b"DOUBLE = 2\n")
        s3.put_object(Bucket=BUCKET, Key="data/in/a.csv", Body=b"a\n1\n2\n")
        s3.put_object(Bucket=BUCKET, Key="secret/x.txt", Body=b"x")
        yield running


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    bucket = f"arn:aws:s3:::{BUCKET}"
    objects = [f"{bucket}/data/*", f"{bucket}/code/*"]
    logs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    return cloud.role(
        "Spark",
        "glue",
        {"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": objects},
        {"Action": "s3:ListBucket", "Resource": bucket},
        {"Action": logs, "Resource": "arn:aws:logs:*:*:log-group:/aws-glue/*"},
    )


def job(role: str, **members: Any) -> dict[str, Any]:
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/code/script.py", "PythonVersion": "3"}
    defaults = {"WorkerType": "G.1X", "NumberOfWorkers": 2, "GlueVersion": "5.1"}
    return {"Role": role, "Command": command, **defaults, **members}


def refusal(call: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"GlueVersion": "4.0"}, "UnsupportedOperation"),
        ({"GlueVersion": "9.9"}, "GlueVersion 9.9 is not supported"),
        ({"WorkerType": "G.025X"}, "only supported for streaming"),
        ({"WorkerType": "Standard"}, "is not supported for GlueVersion 5.1"),
        ({"NumberOfWorkers": 1}, "at least 2"),
        ({"MaxCapacity": 2.0}, "Please set only"),
        ({"MaxRetries": 11}, "between 0 and 10"),
        ({"Timeout": 10_081}, "7 days"),
        ({"MaintenanceWindow": "Sun:10"}, "streaming"),
        ({"Command": {"Name": "glueray", "ScriptLocation": "s3://b/x.py"}}, "closed to new customers"),
        ({"Command": {"Name": "glueetl", "ScriptLocation": "/home/x.py"}}, "s3://BUCKET/KEY"),
        ({"Role": "Nobody"}, "assume role permissions for Glue"),
    ],
)
def test_what_aws_refuses_is_refused(cloud: Cloud, role: str, members: dict[str, Any], said: str) -> None:
    assert said in refusal(lambda: cloud.client("glue").create_job(Name="refused", **job(role, **members)))


def test_job_that_a_template_makes_is_the_one_that_the_api_has(cloud: Cloud, role: str) -> None:
    properties = job(
        role,
        Command={"Name": "gluestreaming", "ScriptLocation": f"s3://{BUCKET}/code/script.py"},
        WorkerType="G.025X",
        ExecutionProperty={"MaxConcurrentRuns": 3},
        MaintenanceWindow="Sun:10",
        Tags={"workload": "water"},
    )
    template = {"Resources": {"Job": {"Type": "AWS::Glue::Job", "Properties": properties}}}
    formation, glue = cloud.client("cloudformation"), cloud.client("glue")
    formation.create_stack(StackName="stream", TemplateBody=json.dumps(template))
    eventually(
        lambda: (
            formation.describe_stacks(StackName="stream")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        ),
        what="the stack",
    )
    name = glue.get_jobs()["Jobs"][0]["Name"]
    found = glue.get_job(JobName=name)["Job"]
    assert found["ExecutionProperty"] == {"MaxConcurrentRuns": 3}
    assert found["MaintenanceWindow"] == "Sun:10"
    assert "Timeout" not in found
    arn = f"arn:aws:glue:us-east-1:123456789012:job/{name}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"workload": "water"}
    formation.delete_stack(StackName="stream")
    eventually(lambda: glue.get_jobs()["Jobs"] == [], what="the end of the job")


def test_what_would_start_nothing_is_refused(cloud: Cloud) -> None:
    glue = cloud.client("glue")
    said = refusal(lambda: glue.create_trigger(Name="t", Type="ON_DEMAND", Actions=[{"JobName": "x"}]))
    assert said == "UnsupportedOperation: The laptop's Glue does not implement CreateTrigger."


def test_script_runs_in_spark_with_what_its_role_may_read(cloud: Cloud, role: str) -> None:
    image = image_named("glue", Settings().image_home)
    if not image.is_built:
        pytest.skip("Spark's environment is not built: python -m localcloud images glue")
    glue, states = cloud.client("glue"), cloud.client("stepfunctions")
    arguments = {
        "--data": f"s3://{BUCKET}/data",
        "--extra-py-files": f"s3://{BUCKET}/code/library.py",
    }
    glue.create_job(Name="double", **job(role, DefaultArguments=arguments))
    may = {"Action": ["glue:StartJobRun", "glue:GetJobRun"], "Resource": "*"}
    machine = states.create_state_machine(
        name="spark",
        roleArn=cloud.role("Machine", "states", may),
        definition=json.dumps(
            {
                "StartAt": "Run",
                "States": {
                    "Run": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::glue:startJobRun.sync",
                        "Parameters": {"JobName": "double"},
                        "End": True,
                    }
                },
            }
        ),
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    def ended() -> Any:
        found = states.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    failed = eventually(ended, what="the end of the execution", seconds=240)
    cause = json.loads(failed["cause"])
    assert failed["error"] == "States.TaskFailed"
    assert cause["ErrorMessage"].endswith("Failed Line Number: 16; ValueError: the end")
    run = glue.get_job_runs(JobName="double")["JobRuns"][0]
    assert (run["JobRunState"], run["Id"]) == ("FAILED", cause["Id"])
    events = cloud.client("logs").get_log_events(
        logGroupName="/aws-glue/jobs/output", logStreamName=run["Id"]
    )["events"]
    assert [event["message"] for event in events] == ["rows 2", "refused True"]
    written = cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="data/out/")["Contents"]
    assert {Path(item["Key"]).suffix for item in written} >= {".parquet"}
