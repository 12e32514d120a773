"""Functions, queues and logs of all stacks."""

from __future__ import annotations

from collections import Counter

from pipeline.vendoring import LAMBDA
from tests.infra.templates import Templates
from tests.unit.lambdas.test_environments import ENTRY_POINTS
from watchkeeper.core import layout

RETENTION_LIMIT_DAYS = 400


def test_every_function_is_deployed_once(templates: Templates) -> None:
    """`deliver_alert` by the one workload with a route to a webhook, Slack or a bus; `fetch_due` by two."""
    found = Counter(each.properties["Handler"] for each in templates.resources("AWS::Lambda::Function"))
    assert sorted(found) == [f"lambdas.{name}.handle" for name in ENTRY_POINTS]
    assert {handler: count for handler, count in found.items() if count > 1} == {
        "lambdas.sources.fetch_due.handle": 2
    }


def test_compiled_packages_are_for_the_runtime_that_the_functions_have(templates: Templates) -> None:
    processors = {"aarch64": "arm64", "x86_64": "x86_64"}
    for function in templates.resources("AWS::Lambda::Function"):
        assert function.properties["Runtime"] == f"python{LAMBDA.python}", str(function)
        assert function.properties["Architectures"] == [processors[str(LAMBDA.linux)]], str(function)


def test_functions_trace_what_is_not_an_object_a_minute_and_log_to_a_group_of_their_own(
    templates: Templates,
) -> None:
    groups = set()
    for function in templates.resources("AWS::Lambda::Function"):
        mode = "PassThrough" if "ScoreTelemetry" in function.logical_id else "Active"
        assert function.properties["TracingConfig"] == {"Mode": mode}, str(function)
        group = function.properties["LoggingConfig"]["LogGroup"]["Ref"]
        groups.add((function.stack, group))
    assert len(groups) == len(templates.resources("AWS::Lambda::Function"))


def test_functions_wait_for_the_policy_of_their_role(templates: Templates) -> None:
    for function in templates.resources("AWS::Lambda::Function"):
        role = function.properties["Role"]["Fn::GetAtt"][0]
        policies = [
            each.logical_id
            for each in templates.resources("AWS::IAM::Policy", stack=function.stack)
            if {"Ref": role} in each.properties["Roles"] and "DefaultPolicy" in each.logical_id
        ]
        assert set(policies) <= set(function.body["DependsOn"]), str(function)
        assert policies


def test_functions_know_their_service_and_metrics_namespace(templates: Templates) -> None:
    for function in templates.resources("AWS::Lambda::Function"):
        variables = function.properties["Environment"]["Variables"]
        assert variables["POWERTOOLS_SERVICE_NAME"]
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Watchkeeper"


def test_logs_do_not_stay_for_ever(templates: Templates) -> None:
    groups = templates.resources("AWS::Logs::LogGroup")
    assert groups
    for group in groups:
        assert 0 < group.properties["RetentionInDays"] <= RETENTION_LIMIT_DAYS, str(group)


def test_queues_are_encrypted_and_refuse_requests_without_tls(templates: Templates) -> None:
    queues = templates.resources("AWS::SQS::Queue")
    assert all(queue.properties["SqsManagedSseEnabled"] is True for queue in queues)
    protected = {
        (policy.stack, reference["Ref"])
        for policy in templates.resources("AWS::SQS::QueuePolicy")
        for reference in policy.properties["Queues"]
        if any(
            statement["Effect"] == "Deny"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for statement in policy.properties["PolicyDocument"]["Statement"]
        )
    }
    assert {(queue.stack, queue.logical_id) for queue in queues} == protected


def test_every_queue_has_or_is_a_dead_letter_queue(templates: Templates) -> None:
    for queue in templates.resources("AWS::SQS::Queue"):
        if "RedrivePolicy" in queue.properties:
            assert queue.properties["RedrivePolicy"]["maxReceiveCount"] in (5, 100)
            continue
        told = [
            name
            for name, value in templates.outputs(queue.stack).items()
            if value == {"Fn::GetAtt": [queue.logical_id, "Arn"]}
        ]
        users = [
            str(each)
            for each in templates.resources()
            if each.type
            in ("AWS::SQS::Queue", "AWS::Events::Rule", "AWS::Scheduler::Schedule", "AWS::SNS::Subscription")
            and (
                (each.stack == queue.stack and f"'{queue.logical_id}'" in str(each.properties))
                or any(f"'{name}'" in str(each.properties) for name in told)
            )
        ]
        assert users, str(queue)


def test_queues_hide_a_message_six_times_as_long_as_its_function_may_run(templates: Templates) -> None:
    mappings = templates.resources("AWS::Lambda::EventSourceMapping")
    assert len(mappings) == 11
    for mapping in mappings:
        resources = {each.logical_id: each for each in templates.resources(stack=mapping.stack)}
        queue = resources[mapping.properties["EventSourceArn"]["Fn::GetAtt"][0]]
        function = resources[mapping.properties["FunctionName"]["Ref"]]
        assert queue.properties["VisibilityTimeout"] == 6 * function.properties["Timeout"]


def test_single_messages_of_a_batch_may_fail(templates: Templates) -> None:
    for mapping in templates.resources("AWS::Lambda::EventSourceMapping"):
        assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping.properties["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_ordered_messages_are_handled_one_at_a_time(templates: Templates) -> None:
    """Else what stands behind a failed message would use up its attempts with it."""
    ordered = {
        (each.stack, each.logical_id)
        for each in templates.resources("AWS::SQS::Queue")
        if each.properties.get("FifoQueue")
    }
    sizes = [
        mapping.properties["BatchSize"]
        for mapping in templates.resources("AWS::Lambda::EventSourceMapping")
        if (mapping.stack, mapping.properties["EventSourceArn"]["Fn::GetAtt"][0]) in ordered
    ]
    assert sizes == [1, 1, 1, 1]


def test_undeliverable_events_go_to_a_standard_queue(templates: Templates) -> None:
    """EventBridge takes no FIFO queue for them."""
    targets = [
        (rule.stack, target["DeadLetterConfig"]["Arn"])
        for rule in templates.resources("AWS::Events::Rule")
        for target in rule.properties["Targets"]
    ]
    assert {stack for stack, _ in targets} >= {
        "WatchkeeperScoring",
        "WatchkeeperAlerting",
        "WatchkeeperService",
        "WatchkeeperTraining",
        layout.workload_stack("water_flow"),
    }
    for stack, arn in targets:
        queue = (
            templates.one_called(stack, arn["Fn::GetAtt"][0]) if "Fn::GetAtt" in arn else templates.named(arn)
        )
        assert queue.type == "AWS::SQS::Queue"
        assert "FifoQueue" not in queue.properties
