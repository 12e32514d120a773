"""SNS: the deliveries to subscribers."""

from ministack.services import sns as _sns

from localcloud.seams.replacing import Replaceable

deliver_to_sqs = Replaceable(_sns, "_deliver_to_sqs")
deliver_to_lambda = Replaceable(_sns, "_deliver_to_lambda")
