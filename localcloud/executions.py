"""Runs Step Functions executions, and carries them on after the server was killed.

Replaces its walk of an execution with the same walk over ministack's own state handlers, plus what a
restart needs: where the execution is, on record before each state begins. A resumed execution enters its
last top-level state again with the input that it had; a Parallel or Map state starts over; a Wait state waits
for the rest. An execution keeps the definition that it started with, obeys the machine's ``TimeoutSeconds``,
and counts in ``AWS/States`` metrics.
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from localcloud import state_notifications
from localcloud.part import Part
from localcloud.request_limits import check_state_output
from localcloud.seams import cloudwatch
from localcloud.seams import stepfunctions as states
from localcloud.seams.responses import now_iso, request_scope
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

Document = dict[str, Any]
POSITION = "localcloudPosition"
DEFINITION = "localcloudDefinition"


class ExecutionsPart(Part):
    """Step Functions' engine in the server.

    Parameters
    ----------
    settings
        Of the local cloud.
    on_change
        Called after each step.
    """

    def __init__(self, settings: Settings, on_change: Callable[[], None]) -> None:
        self._settings = settings
        self._on_change = on_change
        self._interrupted: list[str] = []

    def install(self) -> None:
        """Register with ministack."""
        self._original_restore = states.restore_state.replace(self._restore)
        states.run_execution.replace(self.run)
        state_notifications.install()

    async def start(self) -> None:
        """Carry on the executions that ran when the last process ended."""
        for arn in self._interrupted:
            with request_scope(self._settings.account, self._settings.region):
                context = contextvars.copy_context()
            name = f"execution-{arn.rpartition(':')[2]}"
            threading.Thread(target=context.run, args=(self.run, arn), name=name, daemon=True).start()
        self._interrupted.clear()

    def run(self, arn: str) -> None:
        """Walk one execution to its end, in the calling thread."""
        execution = states.executions.get(arn)
        if execution is None or execution["status"] != "RUNNING":
            return
        definition = self._definition(execution)
        if definition is None:
            return
        timer = self._start_timer(execution, definition)
        try:
            output = self._walk(execution, definition)
        except states.ExecutionError as error:
            if execution["status"] == "RUNNING":
                states.fail_execution(execution, error.error, error.cause)
        except Exception as error:
            logger.exception("execution %s", arn)
            states.fail_execution(execution, "States.Runtime", repr(error))
        else:
            self._succeed(execution, output)
        finally:
            if timer is not None:
                timer.cancel()
            execution.pop(POSITION, None)
            _count(execution)
            self._on_change()

    def _walk(self, execution: Document, definition: Document) -> Any:
        position = execution.get(POSITION)
        resumed = position is not None
        if position is None:
            start = json.loads(execution["input"] or "{}")
            position = {"state": definition["StartAt"], "input": start, "variables": {}}
        context = _context(execution, definition, position["variables"])
        name, value = position["state"], position["input"]
        while name and execution["status"] == "RUNNING":
            state = definition["States"].get(name)
            if state is None:
                raise states.ExecutionError("States.Runtime", f"State '{name}' not found in definition")
            entered = position["entered_at"] if resumed else time.time()
            context["State"] = {"Name": name, "EnteredTime": _iso(entered), "RetryCount": 0}
            execution[POSITION] = {
                "state": name,
                "input": value,
                "variables": context["variables"],
                "entered_at": entered,
            }
            if not resumed:
                self._enter(execution, state, name, value)
            elif state["Type"] == "Wait":
                state = self._rest_of_wait(state, value, entered)
            resumed = False
            value, next_name = _carry_out(state, value, execution, context)
            if execution["status"] != "RUNNING":
                break
            self._exit(execution, state, name, value)
            name = next_name
        return value

    def _enter(self, execution: Document, state: Document, name: str, value: Any) -> None:
        details = {"name": name, "input": json.dumps(value)}
        states.add_event(execution, f"{state['Type']}StateEntered", {"stateEnteredEventDetails": details})
        self._on_change()

    def _exit(self, execution: Document, state: Document, name: str, value: Any) -> None:
        check_state_output(name, value)
        details = {"name": name, "output": json.dumps(value)}
        states.add_event(execution, f"{state['Type']}StateExited", {"stateExitedEventDetails": details})

    def _succeed(self, execution: Document, value: Any) -> None:
        if execution["status"] != "RUNNING":
            return
        execution["output"] = json.dumps(value)
        execution["stopDate"] = now_iso()
        details = {"output": execution["output"]}
        states.add_event(execution, "ExecutionSucceeded", {"executionSucceededEventDetails": details})
        execution["status"] = "SUCCEEDED"
        states.emit_execution_status_event(execution)

    def _rest_of_wait(self, state: Document, value: Any, entered_at: float) -> Document:
        """Return the state with what is left of its time; a timestamp needs no change."""
        seconds = state.get("Seconds")
        if "SecondsPath" in state:
            seconds = states.resolve_path(state["SecondsPath"], states.apply_input_path(state, value, {}))
        if not isinstance(seconds, (int, float)):
            return state
        left = max(0.0, seconds - (time.time() - entered_at) * self._settings.time_scale)
        return {**{key: item for key, item in state.items() if key != "SecondsPath"}, "Seconds": left}

    def _definition(self, execution: Document) -> Document | None:
        if DEFINITION not in execution:
            machine = states.state_machines.get(execution["stateMachineArn"])
            if machine is None:
                states.fail_execution(execution, "StateMachineDeleted", "State machine no longer exists")
                return None
            execution[DEFINITION] = machine["definition"]
        definition: Document = json.loads(execution[DEFINITION])
        return definition

    def _start_timer(self, execution: Document, definition: Document) -> threading.Timer | None:
        limit = definition.get("TimeoutSeconds")
        if limit is None:
            return None
        started = datetime.fromisoformat(execution["startDate"].replace("Z", "+00:00")).timestamp()
        left = max(0.0, limit / self._settings.time_scale - (time.time() - started))
        context = contextvars.copy_context()
        timer = threading.Timer(left, context.run, (_time_out, execution))
        timer.daemon = True
        timer.start()
        return timer

    def _restore(self, saved: Document | None) -> None:
        """Load state; what ministack would fail because it ran is remembered instead."""
        running = []
        for arn, execution in _items(saved):
            if execution["status"] == "RUNNING" and not execution.get("sync"):
                running.append((arn, execution))
        self._original_restore(saved)
        for arn, execution in running:
            for name in ("error", "cause"):
                execution.pop(name, None)
            execution.update({"status": "RUNNING", "stopDate": None})
            self._interrupted.append(arn)


def _items(saved: Document | None) -> list[tuple[str, Document]]:
    executions = (saved or {}).get("executions")
    if executions is None:
        return []
    return [(execution["executionArn"], execution) for execution in executions.all_values()]


def _context(execution: Document, definition: Document, variables: Document) -> Document:
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": json.loads(execution["input"] or "{}"),
            "Name": execution["name"],
            "StartTime": execution["startDate"],
        },
        "StateMachine": {
            "Id": execution["stateMachineArn"],
            "Name": execution["stateMachineArn"].rpartition(":")[2],
        },
        "variables": variables,
    }


def _carry_out(state: Document, value: Any, execution: Document, context: Document) -> tuple[Any, str | None]:
    kind = state["Type"]
    if kind == "Succeed":
        value = states.apply_input_path(state, value, context)
        return states.apply_output_path(state, value, context), None
    if kind == "Fail":
        raise states.ExecutionError(*states.fail_state_error(state, value, context))
    carried_out: tuple[Any, str | None] = states.execute_state(state, value, execution, context)
    return carried_out


def _time_out(execution: Document) -> None:
    if execution["status"] != "RUNNING":
        return
    execution.update({"status": "TIMED_OUT", "stopDate": now_iso(), "error": "States.Timeout"})
    states.add_event(
        execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
    )
    states.emit_execution_status_event(execution)


def _count(execution: Document) -> None:
    names = {
        "SUCCEEDED": "ExecutionsSucceeded",
        "FAILED": "ExecutionsFailed",
        "TIMED_OUT": "ExecutionsTimedOut",
        "ABORTED": "ExecutionsAborted",
    }
    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    for status, metric in names.items():
        value = 1 if execution["status"] == status else 0
        cloudwatch.record_metric("AWS/States", metric, value, "Count", dimensions)


def _iso(moment: float) -> str:
    return (
        datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
