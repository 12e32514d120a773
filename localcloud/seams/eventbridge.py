"""EventBridge: the dispatch that every event of every bus passes."""

from ministack.services import eventbridge as _eventbridge

from localcloud.seams.replacing import Replaceable

invoke_target = Replaceable(_eventbridge, "_invoke_target")
"""Every target of a rule or schedule passes it."""
dispatch_event = Replaceable(_eventbridge, "_dispatch_event")
