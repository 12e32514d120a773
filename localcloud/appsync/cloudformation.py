"""The CloudFormation types of Event APIs.

`Ref` of an API and of a namespace is its ARN; a namespace of another name is another one. APPSYNC_JS handlers
are refused: nothing here could run them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from localcloud.cloudformation import ProvisioningError
from localcloud.seams import appsync
from localcloud.seams.appsync import Answer
from localcloud.seams.cloudformation import delete_predecessor, physical_name, resource_handlers

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]

_NAME_LENGTH = 50
_DATA_SOURCE = "AWS::AppSync::DataSource"


def install_types() -> None:
    """Add the types, and let a data source be of an Event API too."""
    resource_handlers["AWS::AppSync::Api"] = {
        "create": create_api,
        "update": update_api,
        "delete": lambda physical, properties: _delete(appsync.delete_api, _id_of(physical)),
    }
    resource_handlers["AWS::AppSync::ChannelNamespace"] = {
        "create": create_namespace,
        "update": update_namespace,
        "delete": delete_namespace,
    }
    handlers = resource_handlers[_DATA_SOURCE]
    of_graphql = handlers["create"]

    def create(logical_id: str, properties: Properties, stack: str) -> Made:
        if properties["ApiId"] in appsync.apis:
            return create_data_source(logical_id, properties)
        made: Made = of_graphql(logical_id, properties, stack)
        return made

    def update(physical: str, old: Properties, new: Properties, stack: str) -> Made:
        return create(physical.rpartition("/")[2], new, stack)

    handlers["create"], handlers["update"] = create, update


def create_api(logical_id: str, properties: Properties, stack: str) -> Made:
    """Provision ``AWS::AppSync::Api``."""
    name = properties.get("Name") or physical_name(stack, logical_id, max_len=_NAME_LENGTH)
    return _made_api(_call(appsync.create_api, _members({**properties, "Name": name})))


def update_api(physical: str, old: Properties, new: Properties, stack: str) -> Made:
    """Change an API in place."""
    return _made_api(_call(appsync.update_api, _members(new), _id_of(physical)))


def create_namespace(logical_id: str, properties: Properties, stack: str) -> Made:
    """Provision ``AWS::AppSync::ChannelNamespace``."""
    api_id = properties["ApiId"]
    name = properties.get("Name") or physical_name(stack, logical_id, max_len=_NAME_LENGTH)
    members = _namespace({**properties, "Name": name})
    return _made_namespace(_call(appsync.create_namespace, members, api_id))


def update_namespace(
    physical: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
) -> Made:
    """Change a namespace in place, or make another one when it is of another API or name."""
    name = physical.rpartition("/")[2]
    if new["ApiId"] != _id_of(physical) or new.get("Name", name) != name:
        made = create_namespace(logical_id or name, new, stack)
        delete_predecessor(delete_namespace, physical, old)
        return made
    return _made_namespace(_call(appsync.update_namespace, _namespace(new), new["ApiId"], name))


def delete_namespace(physical: str, properties: Properties) -> None:
    """Delete a namespace; one that is gone is no error."""
    _delete(appsync.delete_namespace, _id_of(physical), physical.rpartition("/")[2])


def create_data_source(logical_id: str, properties: Properties) -> Made:
    """Provision ``AWS::AppSync::DataSource`` of an Event API: a function, and the role that calls it."""
    api_id, name = properties["ApiId"], properties.get("Name") or logical_id
    if properties["Type"] != "AWS_LAMBDA":
        raise ProvisioningError(
            f"data source {name}: an Event API of the local cloud takes AWS_LAMBDA, not {properties['Type']}"
        )
    arn = f"{appsync.apis[api_id]['apiArn']}/datasources/{name}"
    members = {key: value for key, value in _members(properties).items() if key not in ("apiId", "name")}
    found = {
        **(appsync.data_sources.get(api_id) or {}),
        name: {**members, "name": name, "dataSourceArn": arn},
    }
    appsync.data_sources[api_id] = found
    return f"{api_id}/{name}", {"Name": name, "DataSourceArn": arn}


def _made_api(answer: dict[str, Any]) -> Made:
    api = answer["api"]
    dns = api["dns"]
    attributes = {"ApiId": api["apiId"], "ApiArn": api["apiArn"], "Dns": dns}
    return api["apiArn"], {**attributes, "Dns.Http": dns["HTTP"], "Dns.Realtime": dns["REALTIME"]}


def _made_namespace(answer: dict[str, Any]) -> Made:
    arn = answer["channelNamespace"]["channelNamespaceArn"]
    return arn, {"ChannelNamespaceArn": arn}


def _namespace(properties: Properties) -> dict[str, Any]:
    if properties.get("CodeHandlers") or properties.get("CodeS3Location"):
        raise ProvisioningError(
            "a channel namespace with handlers in APPSYNC_JS: the local cloud runs those of behavior DIRECT"
        )
    members: dict[str, Any] = _members(properties)
    for config in (members.get("handlerConfigs") or {}).values():
        if config.get("behavior") != "DIRECT":
            raise ProvisioningError(f"handler of behavior {config.get('behavior')}: only DIRECT is there")
    event_config = appsync.apis[properties["ApiId"]]["eventConfig"]
    for operation in ("publish", "subscribe"):
        modes = event_config[f"default{operation.capitalize()}AuthModes"]
        members.setdefault(f"{operation}AuthModes", modes)
    return members


def _members(value: Any) -> Any:
    """Return a property's value as the API writes it: names begin small."""
    if isinstance(value, list):
        return [_members(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name[:1].lower() + name[1:]: {tag["Key"]: tag["Value"] for tag in each}
        if name == "Tags" and isinstance(each, list)
        else _members(each)
        for name, each in value.items()
    }


def _call(function: Callable[..., Answer], members: dict[str, Any], *named: str) -> dict[str, Any]:
    status, _, body = function(*named, json.dumps(members).encode())
    answer: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        raise ProvisioningError(answer.get("message") or answer.get("Message") or body.decode())
    return answer


def _delete(function: Callable[..., Answer], *named: str) -> None:
    status, _, body = function(*named)
    if status >= 400 and status != 404:
        raise ProvisioningError(body.decode())


def _id_of(arn: str) -> str:
    """Return the API's id of its own ARN or of a namespace's."""
    return arn.partition(":apis/")[2].partition("/")[0]
