"""CloudWatch Logs: groups, and the events of their streams."""

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch_logs as _logs

log_groups: Any = _logs._log_groups
append_log_events: Callable[..., None] = _logs._append_log_events
make_group_arn: Callable[..., str] = _logs._make_group_arn
fanout_to_subscription_filters: Callable[..., None] = _logs._fanout_to_subscription_filters
