"""CloudWatch alarms that follow their metrics: by dimensions, periods and missing-data rule.

Ministack evaluates only when a client puts a metric, over all dimensions at once. Here every alarm is evaluated on
every datapoint of its own metric in windows of its period that end now. Seam: ``cloudwatch._evaluate_alarm``.
"""

import asyncio
import operator
import time
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from localcloud.settings import Settings

Alarm = dict[str, Any]
_EVALUATION_SECONDS = 1.0
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class AlarmsPart:
    """Evaluates alarms once a second.

    Parameters
    ----------
    settings
        Of the local cloud.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._task: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Register with ministack."""
        cloudwatch._evaluate_alarm = evaluate

    async def start(self) -> None:
        """Begin to evaluate."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def shutdown(self) -> None:
        """Nothing to end: the task ended with the event loop."""

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVALUATION_SECONDS)
            with request_scope(self._settings.account, self._settings.region):
                for alarm in list(cloudwatch._alarms.values()):
                    evaluate(alarm)


def evaluate(alarm: Alarm) -> None:
    """Bring one metric alarm to the state that its datapoints ask for."""
    new_state = state_of(alarm, _points(alarm), time.time())
    old_state = alarm["StateValue"]
    if new_state is None or new_state == old_state:
        return
    reason = f"Threshold Crossed: {alarm['MetricName']} {alarm['ComparisonOperator']} {alarm['Threshold']}"
    if new_state == "INSUFFICIENT_DATA":
        reason = f"Insufficient Data: no datapoints of {alarm['MetricName']}"
    alarm.update(StateValue=new_state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old_state, new_state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old_state, new_state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def state_of(alarm: Alarm, points: list[dict[str, Any]], now: float) -> str | None:
    """Return the state that datapoints give, or None to leave it as it is.

    A state that was set by hand (``SetAlarmState``) stays until a datapoint arrives after it, or for one period.
    """
    compare = _COMPARISONS.get(str(alarm.get("ComparisonOperator")))
    if compare is None or not alarm.get("MetricName"):
        return None
    period, periods = float(alarm.get("Period") or 60), int(alarm.get("EvaluationPeriods") or 1)
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    since = float(alarm.get("StateUpdatedTimestamp") or 0)
    recent = [point for point in points if point["Timestamp"] > now - period * periods]
    if now - since < period and not any(point["Timestamp"] > since for point in recent):
        return None
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    verdicts: list[bool | None] = []
    for number in range(periods):
        end = now - number * period
        window = [point for point in recent if end - period < point["Timestamp"] <= end]
        value = cloudwatch._stat_value(cloudwatch._calc_stats(window), statistic, window) if window else None
        verdicts.append(None if value is None else compare(value, alarm["Threshold"]))
    missing = alarm.get("TreatMissingData") or "missing"
    if missing == "breaching":
        verdicts = [True if verdict is None else verdict for verdict in verdicts]
    elif missing == "notBreaching":
        verdicts = [bool(verdict) for verdict in verdicts]
    if all(verdict is None for verdict in verdicts):
        return None if missing == "ignore" else "INSUFFICIENT_DATA"
    return "ALARM" if sum(verdict is True for verdict in verdicts) >= needed else "OK"


def _points(alarm: Alarm) -> list[dict[str, Any]]:
    dimensions = {found["Name"]: found.get("Value", "") for found in alarm.get("Dimensions") or ()}
    key = (alarm.get("Namespace"), alarm.get("MetricName"), cloudwatch._dims_key(dimensions))
    return list(cloudwatch._metrics.get(key) or ())
