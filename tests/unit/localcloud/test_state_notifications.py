"""Step Functions' publications keep their message attributes."""

from ministack.services import sns

from localcloud.state_notifications import flattened


def test_attributes_are_those_that_the_topic_reads() -> None:
    attributes = {
        "workload": {"DataType": "String", "StringValue": "pump"},
        "severity": {"DataType": "Number", "StringValue": 7},
    }

    request = flattened({"TopicArn": "arn", "Message": "text", "MessageAttributes": attributes})

    assert request["TopicArn"] == "arn"
    assert "MessageAttributes" not in request
    assert sns._parse_message_attributes(request) == {
        "workload": {"DataType": "String", "StringValue": "pump"},
        "severity": {"DataType": "Number", "StringValue": "7"},
    }


def test_publication_without_attributes_is_left_as_it_is() -> None:
    assert flattened({"TopicArn": "arn", "Message": "text"}) == {"TopicArn": "arn", "Message": "text"}
