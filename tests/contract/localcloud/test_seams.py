"""Ministack's private names that the local cloud replaces: this fails first when an upgrade moves one."""

import importlib
import inspect

import pytest

SEAMS = {
    "ministack.services.lambda_svc._execute_function_dispatch": "func, config, event, request_id, started",
    "ministack.services.lambda_svc._resolve_layer_zip": "attachment",
    "ministack.services.lambda_svc._xray_trace_id_for_invocation": "config, inbound_trace_header",
    "ministack.services.lambda_svc._throttle_response": "reason_code, msg, retry_after",
    "ministack.services.cloudwatch_logs._append_log_events": "stream, events",
    "ministack.services.cloudwatch_logs._make_group_arn": None,
    "ministack.services.cloudwatch_logs._fanout_to_subscription_filters": "group_name, stream_name, events",
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
    "ministack.services.firehose._resolve_dest_type_and_config": "data",
    "ministack.services.firehose._s3_bucket_from_arn": "bucket_arn",
    "ministack.services.firehose._evaluate_prefix": "template, t, query_keys, lambda_keys, error_type",
    "ministack.services.firehose._jq_parse": "expression",
    "ministack.services.firehose._jq_value": "document, steps, functions",
    "ministack.services.iot._run_rule_actions": "account_id, region, rule, payload, topic, client_id",
    "ministack.services.iot._dispatch_rule_action": "account_id, region, rule_name, action, event",
    "ministack.services.iot.put_topic_rule": "name, payload, created_at",
    "ministack.services.iot._mtls_start_locked": "",
    "ministack.services.iot._mtls_build_ssl_context": "",
    "ministack.services.iot._unimplemented_sql_functions": "sql",
    "ministack.services.iot._rule_select_clause": "sql",
    "ministack.services.iot._rule_message": "payload",
    "ministack.services.iot._eval_select_expr": "expr, topic, payload, message, client_id",
    "ministack.services.s3.handle_request": None,
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
    "ministack.services.stepfunctions._invoke_sns_publish": "resource, input_data",
    "ministack.services.sns._parse_message_attributes": "params",
    "ministack.services.stepfunctions._add_event": "execution, event_type, details",
    "ministack.services.stepfunctions._fail_execution": "execution, error, cause",
    "ministack.services.stepfunctions._fail_state_error": "state_def, raw_input, ctx",
    "ministack.services.stepfunctions._emit_execution_status_event": "execution",
    "ministack.app._build_persistence_save_dict": "",
    "ministack.core.persistence._state_format_version": "service",
    "ministack.core.persistence._json_default": "obj",
    "ministack.core.responses.request_scope": "account_id, region",
}
TABLES = {
    "ministack.app": ("SERVICE_HANDLERS", "SERVICE_REGISTRY"),
    "ministack.services.firehose": ("_HANDLERS", "_streams"),
    "ministack.services.iot": ("_RULE_ACTION_RESOURCE_KEYS", "_MtlsAcceptor", "_MISSING", "RuleSqlError"),
    "ministack.services.stepfunctions": ("_executions", "_state_machines", "_ExecutionError"),
    "ministack.services.cloudwatch": ("_metrics", "_alarms", "_composite_alarms"),
    "ministack.services.cloudwatch_logs": ("_log_groups",),
    "ministack.services.s3": ("_object_versions",),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",),
}


@pytest.mark.parametrize("path", SEAMS)
def test_ministack_has_the_function_with_these_parameters(path: str) -> None:
    module, _, name = path.rpartition(".")
    function = getattr(importlib.import_module(module), name, None)

    assert callable(function), f"{path} is gone: find what took its place and adapt localcloud"
    expected = SEAMS[path]
    if expected is not None:
        assert ", ".join(inspect.signature(function).parameters) == expected


@pytest.mark.parametrize("module", TABLES)
def test_ministack_has_the_tables(module: str) -> None:
    found = importlib.import_module(module)

    assert [name for name in TABLES[module] if not hasattr(found, name)] == []
