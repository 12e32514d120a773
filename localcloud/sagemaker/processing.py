"""Runs a processing job: inputs from S3, the job's own program, outputs to S3 at its end."""

import json

from localcloud.sagemaker import locations
from localcloud.sagemaker.clock import now
from localcloud.sagemaker.container import environment, make_root
from localcloud.sagemaker.context import Image
from localcloud.sagemaker.errors import JobFailedError, JobStoppedError
from localcloud.sagemaker.job_run import Run
from localcloud.sagemaker.kinds import PROCESSING_JOB
from localcloud.sagemaker.logs import PROCESSING_GROUP

MESSAGE_LENGTH = 1024


def run(run: Run) -> None:
    """Process; outputs are uploaded only when the program succeeded."""
    job = run.job
    image = run.context.image(job["AppSpecification"]["ImageUri"], run.role)
    root = make_root(run.root, "processing", "config", "output", "input/config")
    _write_configuration(run)
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for item in job.get("ProcessingInputs", []):
        run.check()
        folder = locations.local_path(item["S3Input"]["LocalPath"], root)
        folder.mkdir(parents=True, exist_ok=True)
        locations.download(run.s3, item["S3Input"], folder)
    for output in outputs:
        locations.local_path(output["S3Output"]["LocalPath"], root).mkdir(parents=True, exist_ok=True)
    run.update(ProcessingStartTime=now())
    own = {
        "PROCESSING_JOB_NAME": run.name,
        "PROCESSING_JOB_ARN": job[PROCESSING_JOB.arn_member],
        **job.get("Environment", {}),
    }
    isolated = job.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    stream = run.logs.open(PROCESSING_GROUP, f"{run.name}/algo-1-{int(now())}", run.role)
    try:
        code = run.execute(
            _command(run, image),
            environment=environment(run.context, image, root, own, role=run.role, isolated=isolated),
            stream=stream,
        )
    except TimeoutError:
        run.update(FailureReason="ClientError: the job ran longer than MaxRuntimeInSeconds")
        raise JobStoppedError(run.name) from None
    finally:
        run.logs.close(stream)
        _keep_message(run)
    if code:
        raise JobFailedError(f"AlgorithmError: See job logs for more information, exit code: {code}")
    for output in outputs:
        target = output["S3Output"]
        locations.upload_folder(run.s3, locations.local_path(target["LocalPath"], root), target["S3Uri"])


finish = Run.finish


def _command(run: Run, image: Image) -> list[str]:
    specification = run.job["AppSpecification"]
    argv = [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]
    argv = [locations.localize(argument, run.root) for argument in argv]
    if argv[0] in ("python", "python3", "/usr/bin/python3"):
        argv[0] = str(image.python)
    return argv


def _keep_message(run: Run) -> None:
    message = run.root / "output/message"
    if message.is_file():
        run.update(ExitMessage=message.read_text(encoding="utf-8", errors="replace")[:MESSAGE_LENGTH])


def _write_configuration(run: Run) -> None:
    described = {name: value for name, value in run.job.items() if not name.startswith("_")}
    resources = {"current_host": "localhost", "hosts": ["localhost"], "network_interface_name": "lo"}
    for name, content in (("processingjobconfig", described), ("resourceconfig", resources)):
        (run.root / "config" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
