from typing import Any

import pytest
from ministack.services.iot import RuleSqlError

from localcloud.iot import RuleActionError, check_rule, expand_template


def test_rule_of_supported_parts_is_accepted() -> None:
    sql = "SELECT *, topic(2) AS device, timestamp() AS at, 'upper(x)' AS constant FROM 'a/+' WHERE value > 1"

    check_rule({"sql": sql, "actions": [{"firehose": {}}, {"s3": {}}], "errorAction": {"sqs": {}}})


@pytest.mark.parametrize(
    "payload",
    [
        {"sql": "SELECT * FROM 'a'", "actions": [{"kafka": {}}]},
        {"sql": "SELECT * FROM 'a'", "actions": [], "errorAction": {"timestream": {}}},
    ],
)
def test_unsupported_action_is_refused_by_name(payload: dict[str, Any]) -> None:
    with pytest.raises(RuleSqlError, match=r"kafka|timestream"):
        check_rule(payload)


def test_key_is_filled_in_from_topic_and_message() -> None:
    found = expand_template("errors/${topic(2)}/${site.name}/x", "a/pump", b'{"site": {"name": "north"}}')

    assert found == "errors/pump/north/x"


def test_key_with_an_absent_attribute_is_an_error() -> None:
    with pytest.raises(RuleActionError, match="absent"):
        expand_template("${absent}", "a", b"{}")
