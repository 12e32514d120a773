"""Runs a training job: channels in, the image's program, model archive out."""

import json
import re

from localcloud.sagemaker import locations
from localcloud.sagemaker.clock import now
from localcloud.sagemaker.container import environment, make_root, template
from localcloud.sagemaker.context import Image
from localcloud.sagemaker.errors import JobFailedError, JobStoppedError
from localcloud.sagemaker.job_run import Run
from localcloud.sagemaker.kinds import TRAINING_JOB
from localcloud.sagemaker.logs import TRAINING_GROUP
from localcloud.sagemaker.shapes import Document

_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds",
}


def run(run: Run) -> None:
    """Train; upload the model also when the time was up, as AWS does."""
    job = run.job
    _enter(run, "Starting")
    image = run.context.image(job["AlgorithmSpecification"]["TrainingImage"], run.role)
    root = make_root(run.root, "input/config", "input/data", "model", "output/data")
    _write_configuration(run)
    _enter(run, "Downloading")
    for channel in job.get("InputDataConfig", []):
        run.check()
        folder = root / "input/data" / channel["ChannelName"]
        folder.mkdir()
        locations.download(run.s3, channel["DataSource"]["S3DataSource"], folder)
    _enter(run, "Training")
    run.update(TrainingStartTime=now())
    timed_out = False
    try:
        _train(
            run,
            image,
            environment(
                run.context,
                image,
                root,
                {
                    "TRAINING_JOB_NAME": run.name,
                    "TRAINING_JOB_ARN": job[TRAINING_JOB.arn_member],
                    **job.get("Environment", {}),
                },
                role=run.role,
                isolated=job.get("EnableNetworkIsolation", False),
            ),
        )
    except TimeoutError:
        timed_out = True
    _enter(run, "Uploading")
    locations.upload_archive(run.s3, root / "model", job["ModelArtifacts"]["S3ModelArtifacts"])
    if any((root / "output/data").iterdir()):
        target = locations.join(job["OutputDataConfig"]["S3OutputPath"], run.name, "output", "output.tar.gz")
        locations.upload_archive(run.s3, root / "output/data", target)
    if timed_out:
        run.update(_secondary="MaxRuntimeExceeded")
        raise JobStoppedError(run.name)


def finish(run: Run, status: str, reason: str) -> None:
    """Write the final status, its times and the reason of a failure."""

    def change(job: Document, ended: float) -> None:
        secondary = job.pop("_secondary", status)
        _transit(job, secondary, reason or _MESSAGES[secondary], ended)
        job["SecondaryStatusTransitions"][-1]["EndTime"] = ended
        if "TrainingStartTime" in job:
            job["TrainingTimeInSeconds"] = job["BillableTimeInSeconds"] = max(
                1, round(ended - job["TrainingStartTime"])
            )

    run.finish(status, reason, change)


def _train(run: Run, image: Image, variables: dict[str, str]) -> None:
    stream = run.logs.open(TRAINING_GROUP, f"{run.name}/algo-1-{int(now())}", run.role)
    definitions = [
        (item["Name"], re.compile(item["Regex"]))
        for item in run.job["AlgorithmSpecification"].get("MetricDefinitions", [])
    ]
    final: dict[str, Document] = {}

    def scan(line: str) -> None:
        for name, regex in definitions:
            if (match := regex.search(line)) and match.groups():
                try:
                    value = float(match[1])
                except ValueError:
                    continue
                final[name] = {"MetricName": name, "Value": value, "Timestamp": now()}
                run.metrics.add(
                    "/aws/sagemaker/TrainingJobs", name, value, "None", (("TrainingJobName", run.name),)
                )

    try:
        code = run.execute(
            image.train,
            environment=variables,
            stream=stream,
            on_line=scan,
            template=template(run.context, image),
        )
    finally:
        run.logs.close(stream)
        if final:
            run.update(FinalMetricDataList=list(final.values()))
    if code:
        failure = run.root / "output/failure"
        text = failure.read_text(encoding="utf-8", errors="replace").strip() if failure.is_file() else ""
        raise JobFailedError(f"AlgorithmError: {text[:960]}, exit code: {code}")


def _write_configuration(run: Run) -> None:
    job, folder = run.job, run.root / "input/config"
    hyperparameters = {
        name: locations.localize(value, run.root) for name, value in job.get("HyperParameters", {}).items()
    }
    channels = {
        channel["ChannelName"]: {
            "TrainingInputMode": "File",
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
        }
        for channel in job.get("InputDataConfig", [])
    }
    instance = job["ResourceConfig"].get("InstanceType", "ml.m5.large")
    resources = {
        "current_host": "localhost",
        "hosts": ["localhost"],  # it must resolve; AWS's own name algo-1 does not here
        "current_instance_type": instance,
        "current_group_name": "homogeneousCluster",
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": instance, "hosts": ["localhost"]}
        ],
        "network_interface_name": "lo",
    }
    for name, content in (
        ("hyperparameters", hyperparameters),
        ("inputdataconfig", channels),
        ("resourceconfig", resources),
    ):
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def _enter(run: Run, status: str) -> None:
    run.check()
    run.edit(lambda job: _transit(job, status, _MESSAGES[status], now()))


def _transit(job: Document, status: str, message: str, moment: float) -> None:
    transitions = job.setdefault("SecondaryStatusTransitions", [])
    if transitions:
        transitions[-1].setdefault("EndTime", moment)
    if status == "Starting":
        transitions.clear()  # a job that runs again after a restart
    transitions.append({"Status": status, "StartTime": moment, "StatusMessage": message})
    job["SecondaryStatus"] = status
