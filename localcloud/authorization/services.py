"""The calls that AWS's services make by themselves: in their own name, or as a role that they are given.

What a service may not do it does not do: the event or message is not delivered, and the server's log says
why, as a metric of failed deliveries does on AWS.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.authorization.authority import AccessDeniedError, Guard
from localcloud.authorization.credentials import session
from localcloud.authorization.needs import Need
from localcloud.seams import apigateway, cloudwatch, eventbridge, lambda_functions, sns

logger = logging.getLogger(__name__)

_DELIVERY = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}
_BY_ROLE = {**_DELIVERY, "states": "states:StartExecution", "events": "events:PutEvents"}
_QUEUE_READS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


class ServiceCalls(Guard):
    """Stands before the deliveries between services."""

    def install(self) -> None:
        """Register with ministack."""
        self._invoke_target = eventbridge.invoke_target.replace(self._to_target)
        self._sns_to_sqs = sns.deliver_to_sqs.replace(self._from_topic_to_queue)
        self._sns_to_lambda = sns.deliver_to_lambda.replace(self._from_topic_to_function)
        self._alarm_actions = cloudwatch.dispatch_alarm_actions.replace(self._from_alarm)
        self._sqs_batch = lambda_functions.run_sqs_batch.replace(self._from_queue)
        self._async_failure = lambda_functions.route_async_failure.replace(self._from_failed_call)
        self._proxy: Callable[..., Any] = apigateway.invoke_lambda_proxy.replace(self._from_api)

    def _allows(self, what: str, check: Callable[..., object], *arguments: Any) -> bool:
        try:
            check(*arguments)
        except AccessDeniedError as error:
            logger.warning("%s: not delivered: %s", what, error)
            return False
        return True

    def _to_target(self, target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> Any:
        source, arn = str(rule.get("Arn", "")), str(target.get("Arn", ""))
        service = source.split(":")[2] if source.startswith("arn:") else "events"
        if self._allows(source, self._require_target, service, source, arn, target.get("RoleArn")):
            return self._invoke_target(target, event, rule, view)
        return None

    def _require_target(self, service: str, source: str, target: str, role: str | None) -> None:
        kind = target.split(":")[2]
        if role:
            caller = self._authority.assume(service, role, source.rpartition("/")[2], source)
            self._authority.require(caller, [Need(_BY_ROLE[kind], target)])
        elif kind in _DELIVERY:
            self._authority.require_of_service(service, Need(_DELIVERY[kind], target), source)
        # Without a role: an event bus of the same account, for which EventBridge needs no permission.

    def _from_topic_to_queue(
        self, endpoint: str, envelope: str, *arguments: Any, topic_arn: str = "", **options: Any
    ) -> None:
        if self._reaches("sqs", endpoint, envelope, topic_arn):
            self._sns_to_sqs(endpoint, envelope, *arguments, topic_arn=topic_arn, **options)

    def _from_topic_to_function(self, endpoint: str, envelope: str, topic_arn: str, *arguments: Any) -> None:
        if self._reaches("lambda", endpoint, envelope, topic_arn):
            self._sns_to_lambda(endpoint, envelope, topic_arn, *arguments)

    def _reaches(self, protocol: str, endpoint: str, envelope: str, topic_arn: str) -> bool:
        """Tell whether a topic may send to what is there; else its subscription's dead letters get it."""
        need = Need(_DELIVERY[protocol], endpoint)
        if not self._allows(topic_arn, self._authority.require_of_service, "sns", need, topic_arn):
            error = ("AccessDenied", f"sns.amazonaws.com may not {need.action} on {endpoint}")
        elif not sns.is_there(protocol, endpoint):
            error = ("ResourceNotFound", f"{endpoint} does not exist")
        else:
            return True
        queue = sns.redrive_queue(topic_arn, endpoint)
        if queue is not None:
            to_queue = Need("sqs:SendMessage", queue)
            if self._allows(topic_arn, self._authority.require_of_service, "sns", to_queue, topic_arn):
                said = dict(zip(("ErrorCode", "ErrorMessage"), error, strict=True))
                attributes = {
                    name: {"DataType": "String", "StringValue": text} for name, text in said.items()
                }
                self._sns_to_sqs(
                    queue, envelope, True, envelope, message_attributes=attributes, topic_arn=topic_arn
                )
        return False

    def _from_alarm(self, alarm: dict[str, Any], *arguments: Any) -> None:
        source = str(alarm.get("AlarmArn", ""))

        def may(action: str) -> bool:
            service = action.split(":")[2] if action.startswith("arn:") else ""
            if service not in _DELIVERY:
                return True  # not called on the laptop
            need = Need(_DELIVERY[service], action)
            return self._allows(source, self._authority.require_of_service, "cloudwatch", need, source)

        state = str(arguments[1])
        field = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(state, "InsufficientDataActions")
        self._alarm_actions({**alarm, field: list(filter(may, alarm.get(field) or ()))}, *arguments)

    def _from_queue(
        self, mapping: dict[str, Any], function: dict[str, Any], event: Any, batch: Any, url: str, name: str
    ) -> None:
        queue = str(mapping["EventSourceArn"])
        caller = _role_of(function)
        needs = [Need(f"sqs:{verb}", queue) for verb in _QUEUE_READS]
        if self._allows(queue, self._authority.require, caller, needs):
            self._sqs_batch(mapping, function, event, batch, url, name)

    def _from_failed_call(self, target: str, name: str, event: Any, result: Any) -> None:
        function = lambda_functions.function_named(name)
        need = Need(_DELIVERY[target.split(":")[2]], target)
        if function is None or self._allows(name, self._authority.require, _role_of(function), [need]):
            self._async_failure(target, name, event, result)

    async def _from_api(
        self,
        integration: dict[str, Any],
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: Any,
        body: Any,
        query: Any,
        route_key: str = "$default",
        *arguments: Any,
        **options: Any,
    ) -> Any:
        function = apigateway.function_of(str(integration.get("integrationUri", "")))
        route = route_key.replace(" ", "")
        source = self._authority.place.arn("execute-api", f"{api_id}/{stage}/{route}")
        need = Need("lambda:InvokeFunction", function)
        if not self._allows(source, self._authority.require_of_service, "apigateway", need, source):
            return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'
        return await self._proxy(
            integration, api_id, stage, path, method, headers, body, query, route_key, *arguments, **options
        )


def _role_of(function: Mapping[str, Any]) -> Any:
    config = function.get("config") or function
    return session(str(config.get("Role", "")), str(config.get("FunctionName", "")))
