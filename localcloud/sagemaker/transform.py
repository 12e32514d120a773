"""Runs a transform job: a model's containers, every input object sent through them in batches."""

import gzip
import json
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from localcloud.sagemaker import locations
from localcloud.sagemaker.clock import now
from localcloud.sagemaker.errors import JobFailedError
from localcloud.sagemaker.job_run import Run
from localcloud.sagemaker.kinds import MODEL
from localcloud.sagemaker.logs import TRANSFORM_GROUP
from localcloud.sagemaker.model_data import containers_of, require_images
from localcloud.sagemaker.serving import Chain, ContainerError, UnhealthyError
from localcloud.sagemaker.shapes import Document

_MEGABYTE = 1024 * 1024
_DEFAULT_PAYLOAD_MB = 6
_INVOCATION_SECONDS = 600
_RETRIES = 3
_CONCURRENT = 4
_PARAMETERS_SECONDS = 2.0


def run(run: Run) -> None:
    """Transform every object; an object's output is uploaded when all of it was answered."""
    job = run.job
    model = run.context.store.get(MODEL, job["ModelName"])
    definitions = [
        {**container, "Environment": {**container.get("Environment", {}), **job.get("Environment", {})}}
        for container in containers_of(run.context, model)
    ]
    require_images(run.context, definitions)
    source = job["TransformInput"]
    objects = locations.sourced(run.s3, source["DataSource"]["S3DataSource"])
    run.check()
    chain = Chain.start(
        run.context,
        run.logs,
        definitions,
        run.root,
        group=TRANSFORM_GROUP,
        stream=f"{run.name}/i-{int(now())}",
        isolated=model.get("EnableNetworkIsolation", False),
    )
    run.on_stop(chain.end)
    try:
        chain.wait_healthy(run.context.settings.health_check_seconds, run.stopping)
        run.update(TransformStartTime=now())
        settings = _Settings(job, chain)
        for (bucket, key), relative in objects:
            body = run.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            if source.get("CompressionType") == "Gzip":
                body = gzip.decompress(body)
            output = _transform(run, chain, settings, key, body)
            target = locations.parse(
                locations.join(job["TransformOutput"]["S3OutputPath"], f"{relative}.out")
            )
            run.s3.put_object(Bucket=target.bucket, Key=target.key, Body=output)
    except UnhealthyError as error:
        run.check()
        raise JobFailedError(
            f"AlgorithmError: The {error} container did not pass the ping health check. "
            "See job logs for more information."
        ) from error
    finally:
        chain.end()


finish = Run.finish


class _Settings:
    """How records are sent: as the job says, else the container's ``/execution-parameters``, else AWS."""

    def __init__(self, job: Document, chain: Chain) -> None:
        own = _execution_parameters(chain)
        source, client = job["TransformInput"], job.get("ModelClientConfig", {})
        payload_mb = float({"MaxPayloadInMB": _DEFAULT_PAYLOAD_MB, **own, **job}["MaxPayloadInMB"])
        concurrent = job.get("MaxConcurrentTransforms") or own.get("MaxConcurrentTransforms") or 1
        self.limit = payload_mb * _MEGABYTE or math.inf  # 0 is no limit
        self.concurrent = max(1, min(int(concurrent), _CONCURRENT))
        self.by_line = source.get("SplitType", "None") == "Line"
        # A container says MULTI_RECORD, a job MultiRecord.
        strategy = str(job.get("BatchStrategy", own.get("BatchStrategy", "MultiRecord")))
        self.many = strategy.replace("_", "").lower() == "multirecord"
        self.content_type = source.get("ContentType", "application/octet-stream")
        self.accept = job["TransformOutput"].get("Accept", "*/*")
        self.assemble_lines = job["TransformOutput"].get("AssembleWith", "None") == "Line"
        self.seconds = client.get("InvocationsTimeoutInSeconds", _INVOCATION_SECONDS)
        self.retries = client.get("InvocationsMaxRetries", _RETRIES)


def batches(body: bytes, limit: float, *, many: bool) -> Iterator[bytes]:
    """Cut a body at its line ends.

    Parameters
    ----------
    body
        The whole object.
    limit
        Most bytes of a batch.
    many
        As many lines as fit (MultiRecord), or one line a batch.

    Raises
    ------
    JobFailedError
        When one line is longer than the limit.
    """
    batch: list[bytes] = []
    size = 0
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        if len(line) > limit:
            raise JobFailedError(
                f"ClientError: MaxPayloadInMB is too small: record {number} has {len(line)} bytes"
            )
        if batch and (not many or size + len(line) + 1 > limit):
            yield b"\n".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield b"\n".join(batch)


def assemble(answers: Iterable[bytes], *, lines: bool) -> bytes:
    """Join the answers of an object: with one line end after each, or as they are."""
    if not lines:
        return b"".join(answers)
    return b"".join(answer if answer.endswith(b"\n") else answer + b"\n" for answer in answers)


def _transform(run: Run, chain: Chain, settings: _Settings, key: str, body: bytes) -> bytes:
    if not settings.by_line and len(body) > settings.limit:
        raise JobFailedError(f"ClientError: MaxPayloadInMB is too small: {key} has {len(body)} bytes")
    payloads = batches(body, settings.limit, many=settings.many) if settings.by_line else iter([body])

    def send(payload: bytes) -> bytes:
        attempt = 0
        while True:
            run.check()
            try:
                return chain.invoke(
                    payload,
                    content_type=settings.content_type,
                    accept=settings.accept,
                    headers={},
                    timeout_seconds=settings.seconds,
                ).body
            except ContainerError as error:
                attempt += 1
                if 400 <= error.status < 500 or attempt > settings.retries:
                    raise JobFailedError(
                        f"ClientError: {key}: Bad HTTP status received from algorithm: {error.status} "
                        f"({error.container}): {error.message}"
                    ) from error

    with ThreadPoolExecutor(max_workers=settings.concurrent) as pool:
        return assemble(pool.map(send, payloads), lines=settings.assemble_lines)


def _execution_parameters(chain: Chain) -> Document:
    if len(chain.containers) != 1:
        return {}  # AWS asks the container only when there is one
    try:
        reply = chain.containers[0].get("/execution-parameters", _PARAMETERS_SECONDS)
        parameters = json.loads(reply.body) if reply.status == 200 else {}
    except (ContainerError, ValueError):
        return {}
    return parameters if isinstance(parameters, dict) else {}
