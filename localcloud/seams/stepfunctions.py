"""Step Functions: machines, executions, the handlers of each type of state, and the service integrations."""

from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions as _states

from localcloud.seams.replacing import Replaceable

ExecutionError: Any = _states._ExecutionError
executions: Any = _states._executions
state_machines: Any = _states._state_machines
service_dispatch: dict[str, Callable[..., Any]] = _states._SERVICE_DISPATCH

add_event: Callable[..., None] = _states._add_event
fail_execution: Callable[..., None] = _states._fail_execution
fail_state_error: Callable[..., tuple[str, str]] = _states._fail_state_error
emit_execution_status_event: Callable[..., None] = _states._emit_execution_status_event
apply_input_path: Callable[..., Any] = _states._apply_input_path
apply_output_path: Callable[..., Any] = _states._apply_output_path
resolve_path: Callable[..., Any] = _states._resolve_path
sdk_json_params: Callable[..., Any] = _states._sdk_json_params
sdk_json_result: Callable[..., Any] = _states._sdk_json_result

invoke_resource = Replaceable(_states, "_invoke_resource")
"""Every task passes it, with its parameters filled in."""
run_execution = Replaceable(_states, "_run_execution")
restore_state = Replaceable(_states, "_restore_state")
execute_task = Replaceable(_states, "_execute_task")
validate_definition_jsonata = Replaceable(_states, "_validate_definition_jsonata")


def execute_state(state: dict[str, Any], value: Any, execution: dict[str, Any], context: Any) -> Any:
    """Carry out one state that has a handler and return its output and the next state's name.

    Raises
    ------
    ministack.services.stepfunctions._ExecutionError
        Also for a type of state that there is not.
    """
    kind = state["Type"]
    # By attribute at each call: a task's handler is replaced.
    if kind == "Task":
        return _states._execute_task(state, value, execution, context)
    if kind == "Parallel":
        return _states._execute_parallel(state, value, execution, context)
    if kind == "Map":
        return _states._execute_map(state, value, execution, context)
    if kind == "Pass":
        return _states._execute_pass(state, value, context)
    if kind == "Choice":
        return _states._execute_choice(state, value, context)
    if kind == "Wait":
        return _states._execute_wait(state, value, context)
    raise ExecutionError("States.Runtime", f"Unknown state type: {kind}")
