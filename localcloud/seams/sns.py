"""SNS: the deliveries to subscribers."""

import json

from ministack.services import lambda_svc as _lambda
from ministack.services import sns as _sns
from ministack.services import sqs as _sqs

from localcloud.seams.replacing import Replaceable

deliver_to_sqs = Replaceable(_sns, "_deliver_to_sqs")
deliver_to_lambda = Replaceable(_sns, "_deliver_to_lambda")


def redrive_queue(topic_arn: str, endpoint: str) -> str | None:
    """Return the ARN of the queue that gets what could not be delivered to an endpoint; None without one."""
    topic = _sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
    for subscription in topic["subscriptions"]:
        policy = subscription.get("attributes", {}).get("RedrivePolicy")
        if subscription.get("endpoint") == endpoint and policy:
            found: str = json.loads(policy)["deadLetterTargetArn"]
            return found
    return None


def is_there(protocol: str, endpoint: str) -> bool:
    """Tell whether a queue or function exists."""
    if protocol == "sqs":
        return _sqs._queue_by_arn(endpoint) is not None
    return all(_lambda._get_func_record_for_ref(endpoint)[:2])
