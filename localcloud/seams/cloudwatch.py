"""CloudWatch: metrics, their statistics, and alarms."""

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch as _cloudwatch

from localcloud.seams.replacing import Replaceable

metrics: Any = _cloudwatch._metrics
alarms: Any = _cloudwatch._alarms
composite_alarms: Any = _cloudwatch._composite_alarms

record_metric: Callable[..., None] = _cloudwatch.record_metric
calc_stats: Callable[..., Any] = _cloudwatch._calc_stats
stat_value: Callable[..., Any] = _cloudwatch._stat_value
dims_key: Callable[..., Any] = _cloudwatch._dims_key
delete_alarms: Callable[..., Any] = _cloudwatch._delete_alarms
put_composite_alarm: Callable[..., Any] = _cloudwatch._put_composite_alarm
evaluate_parent_alarms: Callable[..., None] = _cloudwatch._evaluate_parent_alarms
record_history: Callable[..., None] = _cloudwatch._record_history
error: Callable[..., Any] = _cloudwatch._error
parameter: Callable[..., Any] = _cloudwatch._p

dispatch_alarm_actions = Replaceable(_cloudwatch, "_dispatch_alarm_actions")
evaluate_alarm = Replaceable(_cloudwatch, "_evaluate_alarm")
put_metric_alarm = Replaceable(_cloudwatch, "_put_metric_alarm")
set_alarm_state = Replaceable(_cloudwatch, "_set_alarm_state")
