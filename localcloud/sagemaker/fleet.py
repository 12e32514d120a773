"""The processes that serve one endpoint configuration: a chain of containers for each production variant.

A variant has one chain whatever its instance count is; `DescribeEndpoint` answers the count that was asked
for.
"""

import logging
import random
import shutil
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.authorization.needs import lent_key
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.errors import JobFailedError
from localcloud.sagemaker.kinds import ENDPOINT, ENDPOINT_CONFIG, MODEL
from localcloud.sagemaker.logs import ENDPOINT_GROUP, LogSender
from localcloud.sagemaker.metrics import metrics_need
from localcloud.sagemaker.model_data import ROLE, containers_of, require_images
from localcloud.sagemaker.serving import Chain, UnhealthyError
from localcloud.sagemaker.shapes import Document

logger = logging.getLogger(__name__)


def plan_of(context: Context, configuration: str) -> Document:
    """Return all that is needed to serve a configuration, also when it or its models are deleted.

    Raises
    ------
    InvalidRequestError
        When the configuration or a model of it does not exist.
    """
    document = context.store.get(ENDPOINT_CONFIG, configuration)
    variants = []
    for variant in document["ProductionVariants"]:
        model = context.store.get(MODEL, variant["ModelName"])
        variants.append(
            {
                **variant,
                "containers": containers_of(context, model),
                "isolated": model.get("EnableNetworkIsolation", False),
            }
        )
    return {
        "configuration": configuration,
        "variants": variants,
        "capture": document.get("DataCaptureConfig"),
        "volume_key": document.get("KmsKeyId"),
    }


class Fleet:
    """The running chains of one plan.

    Parameters
    ----------
    context, logs
        Of the laptop's SageMaker.
    endpoint
        Name of the endpoint.
    plan
        As `plan_of` makes it.
    """

    def __init__(self, context: Context, logs: LogSender, endpoint: str, plan: Document) -> None:
        self.plan = plan
        self._context = context
        self._logs = logs
        self._endpoint = endpoint
        self._stop = threading.Event()
        self._healing = threading.Lock()
        self._id = uuid.uuid4().hex[:17]
        self._folder: Path = context.folder / "endpoint" / f"{endpoint}-{self._id[:8]}"
        self._chains: dict[str, Chain] = {}
        self._weights: dict[str, float] = {
            variant["VariantName"]: float(variant.get("InitialVariantWeight", 1.0))
            for variant in plan["variants"]
        }

    def start(self) -> None:
        """Start every variant and wait until it is healthy.

        Raises
        ------
        JobFailedError
            With the endpoint's ``FailureReason``; everything that was started is ended.
        """
        try:
            for variant in self.plan["variants"]:
                require_images(self._context, variant["containers"])
            with ThreadPoolExecutor(max_workers=len(self.plan["variants"])) as pool:
                for future in [pool.submit(self._start, variant) for variant in self.plan["variants"]]:
                    future.result()
        except (ClientError, BotoCoreError) as error:
            self.end()
            raise JobFailedError(f"Failed to download model data: {error}") from error
        except (JobFailedError, OSError):
            self.end()
            raise

    def role(self, variant: str) -> str | None:
        """Return the ARN of a variant's role."""
        plan = next(item for item in self.plan["variants"] if item["VariantName"] == variant)
        role: str | None = plan["containers"][0].get(ROLE)
        return role

    def chain(self, variant: str) -> Chain:
        """Return a variant's chain."""
        return self._chains[variant]

    def heal(self, variant: str) -> None:
        """Start a variant again, in the background, when a program of it ended by itself."""
        if not self._chains[variant].alive and self._healing.acquire(blocking=False):
            threading.Thread(target=self._heal, args=(variant,), name=f"heal-{self._endpoint}").start()

    def choose(self) -> str:
        """Choose a variant by weight."""
        if len(self._weights) == 1:
            return next(iter(self._weights))
        names, weights = list(self._weights), list(self._weights.values())
        return random.choices(names, weights if any(weights) else None)[0]

    @property
    def variants(self) -> list[str]:
        """Names of the variants."""
        return list(self._weights)

    @property
    def alive(self) -> bool:
        """Whether every program runs."""
        return all(chain.alive for chain in self._chains.values())

    def set_weight(self, variant: str, weight: float) -> None:
        """Change a variant's share of the traffic."""
        self._weights[variant] = weight

    def end(self) -> None:
        """End every process."""
        self._stop.set()
        for chain in self._chains.values():
            chain.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _heal(self, name: str) -> None:
        try:
            self._chains[name].end()
            variant = next(item for item in self.plan["variants"] if item["VariantName"] == name)
            if not self._stop.is_set():
                logger.warning(
                    "endpoint %s, variant %s: a container ended; it is started again", self._endpoint, name
                )
                self._start(variant)
        except (JobFailedError, ClientError, BotoCoreError, OSError) as error:
            logger.warning("endpoint %s, variant %s does not start again: %s", self._endpoint, name, error)
        finally:
            if self._stop.is_set():  # the fleet was ended meanwhile
                self._chains[name].end()
            self._healing.release()

    def _start(self, variant: Document) -> None:
        name = variant["VariantName"]
        if self.plan.get("volume_key"):
            self._context.require(self.role(name), lent_key(self.plan["volume_key"]))
        self._context.allows(self.role(name), metrics_need(ENDPOINT.resource))
        chain = Chain.start(
            self._context,
            self._logs,
            variant["containers"],
            self._folder / name,
            group=f"{ENDPOINT_GROUP}/{self._endpoint}",
            stream=f"{name}/i-{self._id}",
            isolated=variant["isolated"],
        )
        self._chains[name] = chain
        seconds = variant.get(
            "ContainerStartupHealthCheckTimeoutInSeconds", self._context.settings.health_check_seconds
        )
        try:
            chain.wait_healthy(seconds, self._stop)
        except UnhealthyError as error:
            logger.warning(
                "endpoint %s, variant %s: %s did not pass the health check", self._endpoint, name, error
            )
            raise JobFailedError(
                f"The {error} container for production variant {name} did not pass the ping health check. "
                "Please check CloudWatch logs for this endpoint."
            ) from error
