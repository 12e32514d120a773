"""The machine that simulates transactions: it calls its function, which works for some minutes, until the run
is over.

What is asked of a run, and how far it is, is kept by `lambdas.fraud.simulations`. An execution has the name
of its run, and so a run is begun once.
"""

from __future__ import annotations

from typing import Any

from stepfunctions.steps.states import Catch, Graph, Succeed

from lambdas.fraud.documents import MAX_SIMULATED_SECONDS
from pipeline.composition import chain
from pipeline.substitutions import Substitution
from pipeline.tasks import LAMBDA_TIMEOUT_SECONDS, FailWith, choose, function_task

MAX_RUN_SECONDS = MAX_SIMULATED_SECONDS + LAMBDA_TIMEOUT_SECONDS
"""A run ends by its own time; this ends one that does not."""


def simulator_definition() -> dict[str, Any]:
    """Return the state machine in the Amazon States Language; its input is `{"workload", "run"}`."""
    function, run = Substitution.SIMULATE_FUNCTION_ARN, {"workload": "$.workload", "run": "$.run"}
    kept = {name: f"$.Payload.{name}" for name in ("running", "sent", "flagged")}
    simulate = function_task("Simulate", function, run, keep=kept, place="$.simulation")
    broken = function_task("MarkFailed", function, {**run, "error": "$.failure.Cause"}, place=None)
    chain(broken, FailWith("Failed", error_path="$.failure.Error", cause_path="$.failure.Cause"))
    simulate.add_catch(Catch(error_equals=["States.ALL"], result_path="$.failure", next_step=broken))
    first = chain(simulate, choose("GoesOn?", "$.simulation.running", yes=simulate, no=Succeed("Ended")))
    comment = "Sends transactions of a generated world through a fraud workload"
    definition: dict[str, Any] = Graph(first, comment=comment, timeout_seconds=MAX_RUN_SECONDS).to_dict()
    return definition
