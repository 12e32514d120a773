"""CloudWatch alarms that follow their metrics: by dimensions, periods and missing-data rule.

Ministack evaluates only when a client puts a metric, over all dimensions at once, and knows no metric math.
Here every alarm is evaluated every two seconds on its own metric, in windows of its period that end now.
"""

import asyncio
import operator
import time
from typing import Any

from localcloud import metric_math
from localcloud.part import Part
from localcloud.seams import cloudformation, cloudwatch
from localcloud.seams.responses import request_scope
from localcloud.settings import Settings

Alarm = dict[str, Any]
_EVALUATION_SECONDS = 2.0
# When `SetAlarmState` was last called, in the alarm's record.
SET_BY_HAND = "localcloudSetByHand"
_MISSING_VERDICT = {"breaching": True, "notBreaching": False}
_QUERY_PROTOCOL = "Metrics.member.1.Id"
_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class AlarmsPart(Part):
    """Evaluates alarms every two seconds.

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
        cloudwatch.evaluate_alarm.replace(evaluate)
        self._original_put = cloudwatch.put_metric_alarm.replace(self._put)
        self._original_set = cloudwatch.set_alarm_state.replace(self._set_state)
        self._original_record = cloudformation.metric_alarm_record.replace(self._record)

    async def start(self) -> None:
        """Begin to evaluate."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def _put(self, params: Any, request: Any, is_cbor: bool, is_json: bool = False) -> Any:
        queries = (request or {}).get("Metrics") if is_cbor or is_json else None
        if not (is_cbor or is_json) and params.get(_QUERY_PROTOCOL):
            return _refuse(
                "Metrics in the query protocol are not supported by the local cloud", is_cbor, is_json
            )
        if queries:
            try:
                metric_math.check(queries)
            except metric_math.UnsupportedExpressionError as error:
                return _refuse(str(error), is_cbor, is_json)
        answer = self._original_put(params, request, is_cbor, is_json)
        if queries and answer[0] == 200:
            _of_queries(cloudwatch.alarms[request["AlarmName"]], queries)
        return answer

    def _set_state(self, params: Any, request: Any, is_cbor: bool, is_json: bool = False) -> Any:
        answer = self._original_set(params, request, is_cbor, is_json)
        found = request.get("AlarmName") if is_cbor or is_json else cloudwatch.parameter(params, "AlarmName")
        alarm = cloudwatch.alarms.get(found)
        if alarm is not None and answer[0] == 200:
            alarm[SET_BY_HAND] = alarm["StateUpdatedTimestamp"]
        return answer

    def _record(self, name: str, properties: dict[str, Any]) -> Alarm:
        queries = properties.get("Metrics")
        if not queries:
            plain: Alarm = self._original_record(name, properties)
            return plain
        metric_math.check(queries)
        content = {key: value for key, value in properties.items() if key != "Metrics"}
        record = self._original_record(
            name, {**content, "MetricName": "expression", "Namespace": "expression"}
        )
        return _of_queries(record, queries)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVALUATION_SECONDS)
            with request_scope(self._settings.account, self._settings.region):
                for alarm in list(cloudwatch.alarms.values()):
                    evaluate(alarm)


def _of_queries(record: Alarm, queries: list[dict[str, Any]]) -> Alarm:
    for name in _OF_ONE_METRIC:
        record.pop(name, None)
    record["Metrics"] = queries
    return record


def _refuse(message: str, is_cbor: bool, is_json: bool) -> Any:
    return cloudwatch.error("ValidationError", message, 400, use_json=is_json, use_cbor=is_cbor)


def evaluate(alarm: Alarm) -> None:
    """Bring one metric alarm to the state that its datapoints ask for."""
    new_state = state_of(alarm, time.time())
    old_state = alarm["StateValue"]
    if new_state is None or new_state == old_state:
        return
    metric = alarm.get("MetricName") or "expression"
    reason = f"Threshold Crossed: {metric} {alarm['ComparisonOperator']} {alarm['Threshold']}"
    if new_state == "INSUFFICIENT_DATA":
        reason = f"Insufficient Data: no datapoints of {metric}"
    alarm.update(StateValue=new_state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch.record_history(alarm["AlarmName"], old_state, new_state, reason)
    cloudwatch.dispatch_alarm_actions.call(alarm, old_state, new_state, reason)
    cloudwatch.evaluate_parent_alarms(alarm)


def state_of(alarm: Alarm, now: float) -> str | None:
    """Return the state that datapoints give, or None to leave it as it is.

    A state that was set by hand (``SetAlarmState``) holds for one period.
    """
    compare = _COMPARISONS.get(str(alarm.get("ComparisonOperator")))
    if compare is None:
        return None
    period, periods = _period(alarm), int(alarm.get("EvaluationPeriods") or 1)
    by_hand = alarm.get(SET_BY_HAND)
    if by_hand is not None and by_hand == alarm.get("StateUpdatedTimestamp") and now - by_hand < period:
        return None
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    values = [
        _value(alarm, (now - (number + 1) * period, now - number * period)) for number in range(periods)
    ]
    verdicts = [None if value is None else bool(compare(value, alarm["Threshold"])) for value in values]
    missing = alarm.get("TreatMissingData") or "missing"
    if missing in _MISSING_VERDICT:
        verdicts = [_MISSING_VERDICT[missing] if verdict is None else verdict for verdict in verdicts]
    if all(verdict is None for verdict in verdicts):
        return None if missing == "ignore" else "INSUFFICIENT_DATA"
    return "ALARM" if sum(verdict is True for verdict in verdicts) >= needed else "OK"


def _value(alarm: Alarm, window: metric_math.Window) -> float | None:
    if alarm.get("Metrics"):
        return metric_math.value_of(alarm["Metrics"], window)
    dimensions = {found["Name"]: found.get("Value", "") for found in alarm.get("Dimensions") or ()}
    name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    return metric_math.statistic(alarm["Namespace"], alarm["MetricName"], dimensions, name, window)


def _period(alarm: Alarm) -> float:
    periods = [float(alarm["Period"])] if alarm.get("Period") else []
    for query in alarm.get("Metrics") or ():
        found = query.get("Period") or (query.get("MetricStat") or {}).get("Period")
        if found:
            periods.append(float(found))
    return max(periods, default=60.0)
