"""Blue/green: the new fleet beside the old one, traffic shifted in steps, alarms watched, and the way back.

The waits are those of the request divided by the setting ``deployment_time_scale``.
"""

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.context import Context
from localcloud.sagemaker.errors import JobFailedError, UnsupportedError
from localcloud.sagemaker.fleet import Fleet
from localcloud.sagemaker.shapes import Document

_ALARM_SECONDS = 0.2


class RolledBackError(Exception):
    """The deployment went back to the old fleet; the text is the endpoint's ``FailureReason``."""


@dataclass(frozen=True)
class DeploymentPolicy:
    """What an update asks for.

    Attributes
    ----------
    config : dict or None
        The request's ``DeploymentConfig``.
    shares : list of float
        Share of the traffic on the new fleet at each step; the last is 1.
    wait_seconds : float
        Time at each step.
    alarms : list of str
        Names of the alarms that turn it back.
    termination_seconds : float
        Time for which the old fleet is kept after the last step.
    """

    config: Document | None
    shares: list[float]
    wait_seconds: float
    alarms: list[str]
    termination_seconds: float

    @classmethod
    def of(cls, config: Document | None) -> "DeploymentPolicy":
        """Read a ``DeploymentConfig``; none is all at once without a wait, as on AWS.

        Raises
        ------
        UnsupportedError
            For a rolling update.
        """
        config = config or None
        if config and "RollingUpdatePolicy" in config:
            raise UnsupportedError("RollingUpdatePolicy; use BlueGreenUpdatePolicy")
        update = (config or {}).get("BlueGreenUpdatePolicy", {})
        routing = update.get(
            "TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
        )
        alarms = (config or {}).get("AutoRollbackConfiguration", {}).get("Alarms", [])
        return cls(
            config,
            _shares(routing),
            float(routing["WaitIntervalInSeconds"]),
            [alarm["AlarmName"] for alarm in alarms],
            float(update.get("TerminationWaitInSeconds", 0)),
        )


class Deployment:
    """One update on its way."""

    def __init__(self, context: Context, policy: DeploymentPolicy, old: Fleet | None, new: Fleet) -> None:
        self._context = context
        self._policy = policy
        self._old = old
        self._new = new
        self._share = 0.0
        self._abandoned = threading.Event()

    def choose(self) -> Fleet | None:
        """Return the new fleet for its share of the requests, else None: the one in service."""
        return self._new if random.random() < self._share else None

    def abandon(self) -> None:
        """End the new fleet: the server leaves."""
        self._abandoned.set()
        self._new.end()

    def run(self, *, on_rollback: Callable[[], None]) -> None:
        """Carry out the deployment until the old fleet gets no traffic and has waited for its end.

        Raises
        ------
        RolledBackError
            When the new fleet is not healthy, stops, or an alarm fires.
        """
        try:
            self._new.start()
            self._watch(0.0)  # an alarm that is on already forbids the deployment
            for share in self._policy.shares:
                self._share = share
                self._watch(self._policy.wait_seconds)
            self._watch(self._policy.termination_seconds)
        except (JobFailedError, OSError) as error:
            self._share = 0.0
            on_rollback()
            raise RolledBackError(str(error)) from error

    def _watch(self, seconds: float) -> None:
        end = time.monotonic() + seconds / self._context.settings.deployment_time_scale
        while True:
            if not self._new.alive:
                raise JobFailedError("A container of the new fleet stopped during the deployment.")
            self._check_alarms()
            left = end - time.monotonic()
            if left <= 0:
                return
            if self._abandoned.wait(min(left, _ALARM_SECONDS)):
                raise JobFailedError("The server left during the deployment.")

    def _check_alarms(self) -> None:
        if not self._policy.alarms:
            return
        client: Any = self._context.client("cloudwatch")
        try:
            found = client.describe_alarms(
                AlarmNames=self._policy.alarms, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        except (ClientError, BotoCoreError) as error:
            raise JobFailedError(f"The alarms of the deployment cannot be read: {error}") from error
        alarms = [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]
        names = {alarm["AlarmName"] for alarm in alarms}
        missing = [name for name in self._policy.alarms if name not in names]
        if missing:
            raise JobFailedError(f"Alarm {', '.join(missing)} of AutoRollbackConfiguration does not exist.")
        firing = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
        if firing:
            raise JobFailedError(
                f"Deployment rolled back: the following alarms were in ALARM state: {', '.join(firing)}."
            )


def _shares(routing: Document) -> list[float]:
    if routing["Type"] == "CANARY":
        return [_fraction(routing["CanarySize"]), 1.0]
    if routing["Type"] == "LINEAR":
        step = _fraction(routing["LinearStepSize"])
        count = math.ceil(round(1 / step, 9))
        return [min(1.0, step * index) for index in range(1, count)] + [1.0]
    return [1.0]


def _fraction(size: Document) -> float:
    if size["Type"] != "CAPACITY_PERCENT":
        raise UnsupportedError(f"a traffic step of type {size['Type']}; use CAPACITY_PERCENT")
    return float(size["Value"]) / 100
