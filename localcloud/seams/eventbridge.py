"""EventBridge: the dispatch that every event of every bus passes."""

from ministack.services import eventbridge as _eventbridge

from localcloud.seams.replacing import Replaceable

dispatch_event = Replaceable(_eventbridge, "_dispatch_event")
