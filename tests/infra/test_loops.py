"""How telemetry comes in, is scored, and becomes alerts."""

from __future__ import annotations

from tests.infra.templates import Resource, Templates, flat, many
from watchkeeper.core import layout
from watchkeeper.stream.tick_message import tick_of

PUMP, VALVE, MACHINE, PRESS = map(
    layout.workload_stack, ("pump_pressure", "valve_position", "machine_temperature", "press_stream")
)
SUBSCRIBED = {
    "email": "operators@example.com",
    "https": "https://alerts.example.com/hook",
    "sms": "+14155550100",
    "lambda": "arn:aws:lambda:us-east-1:123456789012:function:kiln",
}


def test_topic_rules_name_their_workload_in_each_record(templates: Templates) -> None:
    payloads = {
        each.properties["TopicRulePayload"]["Sql"] for each in templates.resources("AWS::IoT::TopicRule")
    }
    assert {
        "SELECT *, 'pump_pressure' AS workload, timestamp() AS received_at FROM 'plant/+/pressure'",
        "SELECT *, 'valve_position' AS workload, timestamp() AS received_at FROM 'plant/valve'",
    } < payloads


def test_records_that_a_rule_cannot_deliver_are_kept(templates: Templates) -> None:
    rule = templates.one("AWS::IoT::TopicRule", stack=PUMP)
    action = rule.properties["TopicRulePayload"]["ErrorAction"]["S3"]
    assert action["Key"] == "raw-errors/iot/pump_pressure/${newuuid()}.json"


def test_delivery_partitions_by_workload_and_arrival(templates: Templates) -> None:
    stream = templates.one("AWS::KinesisFirehose::DeliveryStream", stack="WatchkeeperIngestion")
    destination = stream.properties["ExtendedS3DestinationConfiguration"]
    prefix = destination["Prefix"].replace("!{partitionKeyFromQuery:workload}", "pump_pressure")
    assert layout.workload_of_raw_key(prefix) == "pump_pressure"
    assert prefix.startswith(layout.raw_prefix("pump_pressure"))
    assert "!{timestamp:HH}" in prefix
    assert destination["ErrorOutputPrefix"].startswith("raw-errors/!{firehose:error-output-type}/")
    assert destination["CompressionFormat"] == "GZIP"
    assert destination["DynamicPartitioningConfiguration"]["Enabled"] is True
    assert stream.properties["DeliveryStreamEncryptionConfigurationInput"]["KeyType"] == "AWS_OWNED_CMK"


def test_a_workload_that_cannot_wait_is_delivered_by_a_stream_of_its_own(templates: Templates) -> None:
    """Firehose lets a stream with partitions wait for a minute at least, and take half as long again."""
    shared = templates.one("AWS::KinesisFirehose::DeliveryStream", stack="WatchkeeperIngestion")
    own = templates.one("AWS::KinesisFirehose::DeliveryStream", stack=VALVE)
    at_leisure, at_once = (each.properties["ExtendedS3DestinationConfiguration"] for each in (shared, own))
    assert at_leisure["BufferingHints"] == {"IntervalInSeconds": 60, "SizeInMBs": 64}
    assert at_once["BufferingHints"]["IntervalInSeconds"] == 5
    assert "DynamicPartitioningConfiguration" not in at_once
    assert at_once["Prefix"].startswith(layout.raw_prefix("valve_position") + "year=!{timestamp:yyyy}/")
    assert layout.workload_of_raw_key(at_once["Prefix"]) == "valve_position"
    (action,) = templates.one("AWS::IoT::TopicRule", stack=VALVE).properties["TopicRulePayload"]["Actions"]
    assert action["Firehose"]["DeliveryStreamName"] == {"Ref": own.logical_id}
    streams = templates.resources("AWS::KinesisFirehose::DeliveryStream")
    assert {each.stack for each in streams} == {"WatchkeeperIngestion", VALVE, MACHINE, PRESS}


def test_devices_may_name_the_rule_of_a_workload(templates: Templates) -> None:
    rule = templates.one("AWS::IoT::TopicRule", stack=PUMP)
    topic = layout.basic_ingest_topic("pump_pressure", "plant/7/pressure")
    assert topic == f"$aws/rules/{rule.properties['RuleName']}/plant/7/pressure"


def test_delivery_ends_each_record_with_a_new_line_once(templates: Templates) -> None:
    for stream in templates.resources("AWS::KinesisFirehose::DeliveryStream"):
        processors = stream.properties["ExtendedS3DestinationConfiguration"]["ProcessingConfiguration"][
            "Processors"
        ]
        (delimiter,) = [each for each in processors if each["Type"] == "AppendDelimiterToRecord"]
        assert delimiter["Parameters"] == [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}]
    for rule in templates.resources("AWS::IoT::TopicRule"):
        (action,) = rule.properties["TopicRulePayload"]["Actions"]
        assert "Separator" not in action.get("Firehose", {})


def telemetry_rules(templates: Templates) -> list[Resource]:
    return [
        each for each in templates.resources("AWS::Events::Rule") if each.logical_id.startswith("Telemetry")
    ]


def test_new_telemetry_objects_of_a_workload_are_scored_in_their_order(templates: Templates) -> None:
    prefixes = {}
    for rule in telemetry_rules(templates):
        pattern = rule.properties["EventPattern"]
        assert pattern["source"] == ["aws.s3"]
        assert pattern["detail-type"] == ["Object Created"]
        (target,) = rule.properties["Targets"]
        (key,) = pattern["detail"]["object"]["key"]
        prefixes[target["SqsParameters"]["MessageGroupId"]] = key["prefix"]
    assert {"pump_pressure", "valve_position"} < set(prefixes)
    assert prefixes == {name: layout.raw_prefix(name) for name in prefixes}


def test_a_tick_an_interval_goes_to_the_message_group_of_its_workload(templates: Templates) -> None:
    schedule = templates.one("AWS::Scheduler::Schedule", stack=PUMP, having="Tick").properties
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["SqsParameters"] == {"MessageGroupId": "pump_pressure"}
    tick = tick_of(
        schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-29T17:05:00Z")
    )
    assert tick is not None
    assert tick.workload == "pump_pressure"
    ticked = {
        each.stack for each in templates.resources("AWS::Scheduler::Schedule") if "Tick" in each.logical_id
    }
    assert ticked >= {PUMP, VALVE, MACHINE}


def test_score_queue_and_its_dead_letters_keep_the_order(templates: Templates) -> None:
    (mapping,) = templates.resources("AWS::Lambda::EventSourceMapping", stack="WatchkeeperScoring")
    queues = {each.logical_id: each for each in templates.resources("AWS::SQS::Queue")}
    queue = queues[mapping.properties["EventSourceArn"]["Fn::GetAtt"][0]]
    dead_letters = queues[queue.properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]
    assert queue.properties["FifoQueue"] is dead_letters.properties["FifoQueue"] is True
    assert queue.properties["ContentBasedDeduplication"] is True
    assert "MaximumBatchingWindowInSeconds" not in mapping.properties


def test_eventbridge_may_send_for_the_scoring_rules_only(templates: Templates) -> None:
    """In one statement for all, by the name that CloudFormation gives to what is in workloads' stacks."""
    stacks = {rule.stack for rule in telemetry_rules(templates)}
    assert all(stack.startswith("Watchkeeper-") for stack in stacks)
    sending = [
        statement
        for policy in templates.resources("AWS::SQS::QueuePolicy", stack="WatchkeeperScoring")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and "ArnLike" in statement["Condition"]
    ]
    assert len(sending) == 2, "the queue of telemetry, and what could not be delivered to it"
    for statement in sending:
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        rules = flat(statement["Condition"]["ArnLike"]["aws:SourceArn"])
        assert rules == "arn:aws:events:eu-west-1:<AWS::AccountId>:rule/Watchkeeper-*"


def test_anomalies_reach_group_anomalies_and_incidents_and_flagged_transactions_publish_alert(
    templates: Templates,
) -> None:
    bus = {"Ref": templates.one("AWS::Events::EventBus", stack="WatchkeeperAlerting").logical_id}
    rules = templates.resources("AWS::Events::Rule", stack="WatchkeeperAlerting")
    of_bus = [rule for rule in rules if "EventPattern" in rule.properties]
    told = [
        *("Incident Opened", "Incident Escalated", "Incident Closed", "Incident Unanswered"),
        *("Route Test", "Data Quality"),
    ]
    queues = {
        mapping.properties["EventSourceArn"]["Fn::GetAtt"][0]: mapping.properties["FunctionName"]["Ref"]
        for mapping in templates.resources("AWS::Lambda::EventSourceMapping", stack="WatchkeeperAlerting")
    }
    found = {}
    for rule in of_bus:
        assert rule.properties["EventBusName"] == bus
        [target] = rule.properties["Targets"]
        [function] = [f for queue, f in queues.items() if target["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}]
        found[tuple(rule.properties["EventPattern"]["detail-type"])] = function
    assert "GroupAnomalies" in found.pop(("Anomaly Detected",))
    assert "PublishAlert" in found.pop(tuple(told))
    assert "PublishAlert" in found.pop(("Transaction Decided",))
    assert not found
    [schedule] = [rule for rule in rules if rule not in of_bus]
    assert schedule.properties["ScheduleExpression"] == "rate(5 minutes)"


def test_anomalies_are_grouped_in_batches(templates: Templates) -> None:
    [mapping] = [
        each.properties
        for each in templates.resources("AWS::Lambda::EventSourceMapping", stack="WatchkeeperAlerting")
        if "GroupAnomalies" in each.properties["FunctionName"]["Ref"]
    ]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (1000, 1)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_alert_topic_takes_alarms_and_budgets_of_this_account_only_under_its_key(
    templates: Templates,
) -> None:
    topic = templates.one("AWS::SNS::Topic", stack="WatchkeeperAlerting")
    key = templates.one("AWS::KMS::Key", stack="WatchkeeperAlerting")
    assert topic.properties["KmsMasterKeyId"] == {"Fn::GetAtt": [key.logical_id, "Arn"]}
    statements = [
        *templates.one("AWS::SNS::TopicPolicy", stack="WatchkeeperAlerting").properties["PolicyDocument"][
            "Statement"
        ],
        *key.properties["KeyPolicy"]["Statement"],
    ]
    senders = {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    alarms = [
        each
        for each in statements
        if isinstance(each["Principal"], dict) and set(many(each["Principal"].get("Service", ""))) == senders
    ]
    assert len(alarms) == 2, "of the topic and of its key"
    for statement in alarms:
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_alert_topic_refuses_requests_without_tls(templates: Templates) -> None:
    policy = templates.one("AWS::SNS::TopicPolicy", stack="WatchkeeperAlerting")
    denied = [each for each in policy.properties["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
    assert [each["Condition"] for each in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_routes_with_a_subscription_receive_their_workload_and_channel_only(templates: Templates) -> None:
    subscriptions = [
        each for each in templates.resources("AWS::SNS::Subscription") if "Route" in each.logical_id
    ]
    assert {each.properties["Protocol"]: each.properties["Endpoint"] for each in subscriptions} == SUBSCRIBED
    policies = {each.properties["Protocol"]: each.properties["FilterPolicy"] for each in subscriptions}
    assert policies == {
        "email": {"workload": ["pump_pressure"], "routes": ["operators"]},
        "https": {"workload": ["pump_pressure"], "routes": ["systems"]},
        "sms": {"workload": ["kiln_heat"], "routes": ["phone", "managers"]},
        "lambda": {"workload": ["kiln_heat"], "routes": ["program"]},
    }
    assert all(
        "Undelivered" in templates.named(each.properties["RedrivePolicy"]["deadLetterTargetArn"]).logical_id
        for each in subscriptions
    )
