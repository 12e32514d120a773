"""What `localcloud.seams` takes of ministack: this fails first when an upgrade moves or changes a name."""

import ast
import asyncio
import importlib
import inspect
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest
from ministack.core.persistence import _json_object_hook
from ministack.services import cloudfront, kinesis, sns

from localcloud import seams
from localcloud.seams import (
    apigateway,
    athena,
    cloudformation,
    cloudwatch,
    cloudwatch_logs,
    dynamodb,
    eventbridge,
    firehose,
    gateway,
    iam,
    iot,
    lambda_functions,
    s3,
    scheduler,
    stepfunctions,
)
from localcloud.seams import sns as topics
from localcloud.seams.replacing import Replaceable
from localcloud.seams.responses import request_scope
from localcloud.state_notifications import PUBLISH, flattened

FUNCTIONS = {
    "ministack.services.lambda_svc._execute_function_dispatch": "func, config, event, request_id, started",
    "ministack.services.lambda_svc._iter_all_esms": "",
    "ministack.services.lambda_svc._resolve_layer_zip": "attachment",
    "ministack.services.lambda_svc._xray_trace_id_for_invocation": "config, inbound_trace_header",
    "ministack.services.lambda_svc._throttle_response": "reason_code, msg, retry_after",
    "ministack.services.cloudwatch_logs._append_log_events": "stream, events",
    "ministack.services.cloudwatch_logs._make_group_arn": None,
    "ministack.services.cloudwatch_logs._fanout_to_subscription_filters": "group_name, stream_name, events",
    "ministack.services.budgets._create_budget": "data",
    "ministack.services.dynamodb._tokenize": "expr",
    "ministack.services.dynamodb._condition_syntax_error": "expr, slot",
    "ministack.services.budgets._delete_budget": "data",
    "ministack.services.cloudwatch.record_metric": "namespace, metric_name, value, unit, dimensions",
    "ministack.services.cloudwatch._evaluate_alarm": "alarm",
    "ministack.services.cloudwatch._evaluate_parent_alarms": "child, seen",
    "ministack.services.cloudwatch._put_metric_alarm": "params, cbor_data, is_cbor, is_json",
    "ministack.services.cloudwatch._set_alarm_state": "params, cbor_data, is_cbor, is_json",
    "ministack.services.cloudwatch._put_composite_alarm": "params, cbor_data, is_cbor, is_json",
    "ministack.services.cloudwatch._delete_alarms": "params, cbor_data, is_cbor, is_json",
    "ministack.services.cloudwatch._dispatch_alarm_actions": "alarm, old_state, new_state, reason",
    "ministack.services.cloudwatch._record_history": (
        "alarm_name, old_state, new_state, reason, alarm_type, reason_data"
    ),
    "ministack.services.cloudwatch._calc_stats": "points",
    "ministack.services.cloudwatch._stat_value": "stats, stat_name, points",
    "ministack.services.cloudwatch._dims_key": "dims",
    "ministack.services.cloudformation.stacks._add_event": (
        "stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, detailed_status"
    ),
    "ministack.services.cloudformation.provisioners._cw_metric_alarm_record": "name, props",
    "ministack.services.cloudformation.provisioners._physical_name": None,
    "ministack.services.eventbridge._dispatch_event": "event, view",
    "ministack.services.firehose._create_delivery_stream": "data",
    "ministack.services.firehose.ingest_from_kinesis_source": "stream_arn, records",
    "ministack.services.kinesis._resolve_stream_by_arn": "stream_arn",
    "ministack.services.athena._table_references": "query",
    "ministack.services.athena._datum_text": "value",
    "ministack.services.athena._run_duckdb": "query, database, catalog",
    "ministack.services.athena._start_query_execution": "data",
    "ministack.services.athena._save_query_results": "query_id",
    "ministack.services.firehose._resolve_dest_type_and_config": "data",
    "ministack.services.firehose._s3_bucket_from_arn": "bucket_arn",
    "ministack.services.firehose._evaluate_prefix": "template, t, query_keys, lambda_keys, error_type",
    "ministack.services.firehose._jq_parse": "expression",
    "ministack.services.firehose._jq_value": "document, steps, functions",
    "ministack.services.iot._validate_publish_topic": "topic",
    "ministack.services.iot._WSSession": "send_coro, account_id, region, principal",
    "ministack.services.iot._run_rule_actions": "account_id, region, rule, payload, topic, client_id",
    "ministack.services.iot._dispatch_rule_action": "account_id, region, rule_name, action, event",
    "ministack.services.iot.put_topic_rule": "name, payload, created_at",
    "ministack.services.iot._mtls_start_locked": "",
    "ministack.services.iot._mtls_build_ssl_context": "",
    "ministack.services.iot._unimplemented_sql_functions": "sql",
    "ministack.services.iot._rule_select_clause": "sql",
    "ministack.services.iot._rule_message": "payload",
    "ministack.services.iot._eval_select_expr": "expr, topic, payload, message, client_id",
    "ministack.services.iot._describe_endpoint": "qp",
    "ministack.services.iot._handle_thing_principals": "method, path, headers, body, qp",
    "ministack.services.iot._delete_thing": "name, expected_version",
    "ministack.services.iot._mqtt_policy_allows": (
        "account_id, region, certificate_id, context, action, resource, provisioning_template"
    ),
    "ministack.services.iot._provisioning_role_allows": "role_arn, requests",
    "ministack.services.iot._provisioning_claim_policy": "template_name",
    "ministack.services.iot._eval_select_function": "name, args, topic, payload, message, client_id",
    "ministack.services.iot._handle_certificate": "method, path, body, qp",
    "ministack.services.iot._cert_arn": "certificate_id",
    "ministack.services.iot._thing_group_arn": "name",
    "ministack.services.iot._policies_attached_to": "target",
    "ministack.services.iot._parsed_iot_policy": "document, context",
    "ministack.services.iot.EvalContext": None,
    "ministack.services.iot.evaluate": None,
    "ministack.services.s3.handle_request": None,
    "ministack.services.s3._resolve_sse_write_headers": "headers, bucket_name",
    "ministack.services.s3._cloudfront_origin_allows": "owner, bucket_name, key, source_arn, oai_id",
    "ministack.services.s3.serve_cloudfront_origin_fetch": (
        "bucket_name, key, method, headers, source_arn, oai_id"
    ),
    "ministack.services.stepfunctions._validate_definition_jsonata": "definition_str",
    "ministack.services.cloudformation.provisioners._sfn_definition": "props",
    "ministack.services.stepfunctions._run_execution": "exec_arn",
    "ministack.services.stepfunctions._restore_state": "data",
    "ministack.services.stepfunctions._execute_task": "state_def, raw_input, execution, ctx",
    "ministack.services.stepfunctions._execute_parallel": "state_def, raw_input, execution, ctx",
    "ministack.services.stepfunctions._execute_map": "state_def, raw_input, execution, ctx",
    "ministack.services.stepfunctions._execute_pass": "state_def, raw_input, ctx",
    "ministack.services.stepfunctions._execute_choice": "state_def, raw_input, ctx",
    "ministack.services.stepfunctions._execute_wait": "state_def, raw_input, ctx",
    "ministack.services.stepfunctions._apply_input_path": "state_def, data, ctx",
    "ministack.services.stepfunctions._apply_output_path": "state_def, data, ctx",
    "ministack.services.stepfunctions._resolve_path": "path, data",
    "ministack.services.stepfunctions._sdk_json_params": "service_info, service_key, action, input_data",
    "ministack.services.stepfunctions._sdk_json_result": "service_key, action, result",
    "ministack.services.stepfunctions._add_event": "execution, event_type, details",
    "ministack.services.stepfunctions._fail_execution": "execution, error, cause",
    "ministack.services.stepfunctions._fail_state_error": "state_def, raw_input, ctx",
    "ministack.services.stepfunctions._emit_execution_status_event": "execution",
    "ministack.app._build_persistence_save_dict": "",
    "ministack.core.persistence._state_format_version": "service",
    "ministack.core.persistence._json_default": "obj",
    "ministack.core.responses.request_scope": "account_id, region",
    "ministack.core.responses.error_response_json": None,
    "ministack.core.responses.json_response": None,
    "ministack.core.responses.now_iso": "",
    "ministack.core.lambda_runtime.reset": "",
    "ministack.app.app": "scope, receive, send",
    "ministack.services.cloudwatch._p": "params, key, default",
    "ministack.services.cloudwatch._error": "code, message, status, use_json, use_cbor",
    "ministack.services.cloudformation.provisioners._delete_predecessor": "delete_fn, args, kwargs",
    "ministack.services.cloudformation.stacks._runs_on_worker_thread": "resource_type",
    "ministack.services.iot.mtls_is_listening": "",
    "ministack.app._dispatch_service_request": "method, path, headers, body, query_params, request_id",
    "ministack.app._handle_special_data_plane_request": (
        "method, path, headers, body, query_params, request_id, raw_path, raw_query_string, client_ip"
    ),
    "ministack.app._routing_params": "method, path, headers, body, query_params",
    "ministack.app._extract_s3_vhost_bucket": "host",
    "ministack.core.router.detect_service": "method, path, headers, query_params",
    "ministack.core.iam_actions._s3_action": "method, path, query_params",
    "ministack.core.iam_actions.s3_additional_checks": "method, path, headers, body, query_params",
    "ministack.core.iam_actions.access_denied_response": (
        "service, action, principal_arn, request_id, error_code, message, headers, resource_arn, "
        "explicit_deny, resource_policy_arn"
    ),
    "ministack.core.iam_evaluator._resolve_managed_policy_document": "policy_arn, account_id",
    "ministack.core.iam_evaluator._resource_policy": "service, resource_arn",
    "ministack.core.lambda_runtime.execution_credentials": "config",
    "ministack.services.lambda_svc.execution_credentials": "config",
    "ministack.services.lambda_svc._run_sqs_batch": "esm, func_rec, event, batch, queue_url, queue_name",
    "ministack.services.lambda_svc._route_async_failure": "target_arn, func_name, event, result",
    "ministack.services.sts.register_session": "access_key, session",
    "ministack.services.iam._make_aws_managed_record": "name, document, description",
    "ministack.services.kms._resolve_key": "key_id_or_arn",
    "ministack.services.eventbridge._invoke_target": "target, event, rule, view",
    "ministack.services.eventbridge._parse_rate_seconds": "expr",
    "ministack.services.eventbridge._parse_cron_fields": "expr",
    "ministack.services.eventbridge._cron_next_fire": "fields, after_dt",
    "ministack.services.scheduler._tick_schedules": "",
    "ministack.services.scheduler._create_schedule": "name, body",
    "ministack.services.scheduler._update_schedule": "name, body",
    "ministack.services.scheduler._error": "status, code, message",
    "ministack.services.scheduler._at_time_epoch": "expr",
    "ministack.services.sns._deliver_to_sqs": (
        "endpoint, envelope, raw, raw_message, message_group_id, message_dedup_id, message_attributes, "
        "topic_arn"
    ),
    "ministack.services.sns._topic_by_arn_any_scope": "topic_arn",
    "ministack.services.sqs._queue_by_arn": "arn",
    "ministack.services.lambda_svc._get_func_record_for_ref": "function_ref",
    "ministack.services.sns._deliver_to_lambda": (
        "endpoint, envelope, topic_arn, sub_arn, msg_id, raw_message, message_attributes"
    ),
    "ministack.services.apigateway._invoke_lambda_proxy": (
        "integration, api_id, stage, path, method, headers, body, query_params, route_key, path_params, "
        "authorizer_claims, authorizer_scopes, authorizer_lambda_context, authorizer_iam, "
        "owner_account_id, owner_region, raw_query_string"
    ),
    "ministack.services.apigateway._extract_lambda_ref_from_integration_uri": "uri",
    "ministack.services.apigateway._validate_jwt_authorizer": "route, authorizer, headers, query_params",
    "ministack.services.appsync_events._create_api": "body",
    "ministack.services.appsync_events._update_api": "api_id, body",
    "ministack.services.appsync_events._delete_api": "api_id",
    "ministack.services.appsync_events._create_channel_namespace": "api_id, body",
    "ministack.services.appsync_events._update_channel_namespace": "api_id, name, body",
    "ministack.services.appsync_events._delete_channel_namespace": "api_id, name",
    "ministack.services.stepfunctions._invoke_resource": "resource, input_data",
}
ATTRIBUTES = {
    "ministack.app": (
        *("SERVICE_HANDLERS", "SERVICE_REGISTRY", "_iot_mtls_task"),
        *("_S3_VHOST_EXCLUDE_RE", "_NON_S3_VHOST_NAMES"),
    ),
    "ministack.services.appsync": ("_data_sources",),
    "ministack.services.appsync_events": ("_apis", "_channel_namespaces"),
    "ministack.services.iam": ("_roles", "_aws_managed_policies"),
    "ministack.services.kms": ("_grants",),
    "ministack.services.sts": ("_sessions",),
    "ministack.services.lambda_svc": ("_functions",),
    "ministack.services.sqs": ("_queues",),
    "ministack.core.router": ("SERVICE_PATTERNS",),
    "ministack.services.firehose": ("_HANDLERS", "_streams"),
    "ministack.services.iot": (
        *("_RULE_ACTION_RESOURCE_KEYS", "_MtlsAcceptor", "_MISSING", "RuleSqlError", "PKT_PUBLISH"),
        *("_mtls_server", "_mtls_loop", "_connected_clients", "_things", "_thing_groups", "_policies"),
        "_IMPLEMENTED_SQL_FUNCS",
    ),
    "ministack.services.stepfunctions": (
        *("_executions", "_state_machines", "_ExecutionError", "_SERVICE_DISPATCH"),
    ),
    "ministack.services.cloudwatch": ("_metrics", "_alarms", "_composite_alarms"),
    "ministack.services.cloudwatch_logs": ("_log_groups",),
    "ministack.services.athena": ("_executions",),
    "ministack.services.glue": ("_jobs", "_job_runs", "_security_configs", "_tables", "_tags"),
    "ministack.services.s3": ("_object_versions",),
    "ministack.services.scheduler": ("_schedules",),
    "ministack.services.cloudformation": ("_stacks", "_stack_events"),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",),
}
ACCOUNT, REGION = "111122223333", "eu-west-1"
MODULES = (
    *(apigateway, athena, cloudformation, cloudwatch, cloudwatch_logs, dynamodb, eventbridge, firehose),
    *(gateway, iam, iot, lambda_functions, s3, scheduler, stepfunctions, topics),
)
REPLACEABLE = [
    pytest.param(found, id=f"{found.module.__name__}.{found.name}")
    for module in MODULES
    for found in vars(module).values()
    if isinstance(found, Replaceable)
]


@pytest.fixture(autouse=True)
def _an_account_of_its_own() -> Iterator[None]:
    with request_scope(ACCOUNT, REGION):
        yield


@pytest.mark.parametrize("path", FUNCTIONS)
def test_ministack_has_the_function_with_these_parameters(path: str) -> None:
    module, _, name = path.rpartition(".")
    function = getattr(importlib.import_module(module), name, None)

    assert callable(function), f"{path} is gone: find what took its place and adapt localcloud/seams"
    expected = FUNCTIONS[path]
    if expected is not None:
        assert ", ".join(inspect.signature(function).parameters) == expected


@pytest.mark.parametrize("module", ATTRIBUTES)
def test_ministack_has_the_attributes(module: str) -> None:
    found = importlib.import_module(module)

    assert [name for name in ATTRIBUTES[module] if not hasattr(found, name)] == []


def test_every_name_that_a_seam_takes_is_held_here() -> None:
    folder = Path(seams.__file__).parent
    taken = {name for path in folder.glob("*.py") for name in names_of_ministack(ast.parse(path.read_text()))}

    held = {*FUNCTIONS, *(f"{module}.{name}" for module, names in ATTRIBUTES.items() for name in names)}
    assert taken == held


@pytest.mark.parametrize("seam", REPLACEABLE)
def test_ministack_calls_what_takes_a_functions_place(seam: Replaceable) -> None:
    """It looks the name up in its module when it calls, so what stands there then is called."""
    callers = [
        code.co_name
        for code in code_objects(seam.module)
        if seam.name in code.co_names and code.co_name != seam.name
    ]
    # the provisioners call it too: its own table of operations is rewritten by the part
    if seam is firehose.create_delivery_stream:
        callers = [firehose.handlers["CreateDeliveryStream"].__name__]
    if seam is s3.origin_fetch:  # as a name of the module, which another module has imported
        callers = [code.co_name for code in code_objects(cloudfront) if seam.name in code.co_names]

    if seam is firehose.ingest_from_data_stream:  # likewise
        callers = [code.co_name for code in code_objects(kinesis) if seam.name in code.co_names]

    assert callers


def test_replacing_gives_what_was_there() -> None:
    module = ModuleType("one")
    module.answer = lambda: 1  # type: ignore[attr-defined]
    original = Replaceable(module, "answer").replace(lambda: original() + 1)

    assert module.answer() == 2


def test_state_is_saved_as_ministack_loads_it() -> None:
    key = gateway.state_key("monitoring")
    assert key is not None
    cloudwatch.alarms["kept"] = {"AlarmName": "kept"}
    content = gateway.written(key)
    assert content is not None

    loaded = json.loads(content, object_hook=_json_object_hook)

    assert gateway.state_key("none of ministack's") is None
    assert loaded["payload"]["alarms"]["kept"] == {"AlarmName": "kept"}


@pytest.mark.parametrize("key", ["cloudformation", "cloudwatch", "cloudwatch_logs", "stepfunctions"])
def test_a_large_state_is_copied_for_all_but_who_writes_it(key: str) -> None:
    module = importlib.import_module(f"ministack.services.{key}")
    assert key in gateway.states()
    value: dict[str, list[str]] = {"a": []}

    assert module.copy.deepcopy(value)["a"] is not value["a"]
    assert "copy.deepcopy" in inspect.getsource(module.get_state)
    assert json.loads(gateway.written(key) or b"")["payload"].keys() == module.get_state().keys()
    assert module.copy.deepcopy(value)["a"] is not value["a"]


def test_provisioner_has_its_three_functions() -> None:
    functions = cloudformation.resource_handlers["AWS::S3::Bucket"]

    assert {"create", "update", "delete"} <= functions.keys()
    assert list(inspect.signature(functions["create"]).parameters)[:3] == [
        "logical_id",
        "props",
        "stack_name",
    ]
    assert cloudformation.physical_name("stack", "Logical", max_len=255).startswith("stack-Logical-")


def test_metric_is_kept_with_what_statistics_read() -> None:
    cloudwatch.record_metric("Space", "Errors", 2.0, "Count", {"F": "mine"})
    cloudwatch.record_metric("Space", "Errors", 3.0, "Count", {"F": "mine"})

    points = cloudwatch.metrics[("Space", "Errors", cloudwatch.dims_key({"F": "mine"}))]

    assert [point["Dimensions"] for point in points] == [{"F": "mine"}] * 2
    assert all(isinstance(point["Timestamp"], (int, float)) for point in points)
    assert cloudwatch.stat_value(cloudwatch.calc_stats(points), "Sum", points) == 5


def test_composite_alarm_is_made_and_deleted() -> None:
    request = {"AlarmName": "both", "AlarmRule": "TRUE"}

    status, _, _ = cloudwatch.put_composite_alarm({}, request, False, is_json=True)
    assert status == 200
    assert cloudwatch.composite_alarms["both"]["AlarmArn"].endswith(":alarm:both")
    cloudwatch.delete_alarms({}, {"AlarmNames": ["both"]}, False, is_json=True)

    assert "both" not in cloudwatch.composite_alarms


def test_log_events_are_in_order_of_time() -> None:
    stream: dict[str, Any] = {
        "events": [],
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
        "lastIngestionTime": None,
    }

    cloudwatch_logs.append_log_events(
        stream, [{"timestamp": at, "message": str(at), "ingestionTime": 3} for at in (2, 1)]
    )

    assert [event["timestamp"] for event in stream["events"] or ()] == [1, 2]
    assert cloudwatch_logs.make_group_arn("/a").startswith(f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/a")


def test_delivery_has_its_prefix_and_partition() -> None:
    steps = [found[1:] for found in firehose.jq_parse("{site: .site}")]

    assert firehose.jq_value({"site": "north"}, *steps[0]) == "north"
    assert firehose.s3_bucket_from_arn("arn:aws:s3:::bucket") == "bucket"
    prefix = "raw/!{partitionKeyFromQuery:site}/!{timestamp:yyyy}/"
    moment = time.strptime("2026", "%Y")
    assert firehose.evaluate_prefix(prefix, moment, {"site": "north"}) == "raw/north/2026/"


def test_rule_reads_a_message() -> None:
    message = iot.rule_message(b'{"site": {"name": "north"}}')

    assert iot.eval_select_expr("site.name", "a/b", b"", message, None) == "north"
    assert iot.eval_select_expr("absent", "a/b", b"", message, None) is iot.MISSING
    assert iot.rule_select_clause("SELECT a, b FROM 'c' WHERE d = 1").strip() == "a, b"
    assert iot.unimplemented_sql_functions("SELECT aws_lambda(a) FROM 'c'") == ["aws_lambda"]


def test_throttled_invocation_says_why() -> None:
    answer = lambda_functions.throttle_response(reason_code="ReservedFunctionConcurrency", msg="no more")

    assert answer["throttle"]


def test_s3_takes_an_object_and_gives_its_version() -> None:
    async def put(path: str, body: bytes) -> int:
        headers = {"content-length": str(len(body)), "host": "s3.localhost"}
        query = {"versioning": [""]} if path.count("/") == 1 and body else {}
        answer = await s3.handle_request("PUT", path, headers, body, query, internal=True)
        return int(answer[0])

    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    statuses = [
        asyncio.run(put(path, body))
        for path, body in (("/seam", b""), ("/seam", enabled), ("/seam/key", b"one"), ("/seam/key", b"two"))
    ]

    assert statuses == [200] * 4
    version = s3.latest_version("seam", "key")
    assert version
    assert s3.latest_version("seam", "other") is None


def test_states_are_carried_out() -> None:
    context: dict[str, Any] = {"QueryLanguage": "JSONPath", "variables": {}}
    passed = stepfunctions.execute_state({"Type": "Pass", "Result": 1, "Next": "B"}, {}, {}, context)
    choice = {"Type": "Choice", "Choices": [], "Default": "C"}

    assert passed == (1, "B")
    assert stepfunctions.execute_state(choice, {"a": 1}, {}, context) == ({"a": 1}, "C")
    with pytest.raises(stepfunctions.ExecutionError) as refused:
        stepfunctions.execute_state({"Type": "Dance"}, {}, {}, context)
    assert refused.value.error == "States.Runtime"
    assert stepfunctions.resolve_path("$.a.b", {"a": {"b": 2}}) == 2


def test_task_that_took_the_place_is_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seam = stepfunctions.execute_task
    monkeypatch.setattr(seam.module, seam.name, getattr(seam.module, seam.name))  # put back at the end
    seam.replace(lambda *_: ("ours", None))

    assert stepfunctions.execute_state({"Type": "Task"}, {}, {}, {}) == ("ours", None)


def test_publish_reads_attributes_as_the_query_protocol_writes_them() -> None:
    flat = flattened({"MessageAttributes": {"severity": {"DataType": "Number", "StringValue": "80"}}})

    assert PUBLISH in stepfunctions.service_dispatch
    assert sns._parse_message_attributes(flat)["severity"]["StringValue"] == "80"


def names_of_ministack(tree: ast.Module) -> Iterator[str]:
    """Yield the attributes of ministack's modules that a seam reads, writes or lets be replaced."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            for alias in node.names:
                modules[alias.asname] = f"{node.module}.{alias.name}"
                if alias.asname is None:
                    yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in modules:
                yield f"{modules[node.value.id]}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Replaceable":
            module, name = node.args
            assert isinstance(module, ast.Name)
            yield f"{modules[module.id]}.{ast.literal_eval(name)}"


def code_objects(module: ModuleType) -> Iterator[CodeType]:
    """Yield the code of a module's functions and methods, and of what is defined in them."""
    own = [value for value in vars(module).values() if inspect.isclass(value)]
    defined = [value for owner in (module, *own) for value in vars(owner).values()]
    waiting = [value.__code__ for value in defined if inspect.isfunction(value)]
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
