"""Customers who pay and some who defraud: a generated world sends transactions, as the API takes them.

It works for some minutes and ends; what it has sent is counted as it goes. The simulator's machine asks it
again while the run is not over, and after a failure that passes: it goes on where it was.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.fraud.deciding import decide
from lambdas.fraud.effects import FraudEffects, fraud_effects
from lambdas.fraud.requests import MOST_TRANSACTIONS, arrivals_in
from lambdas.fraud.simulating.environment import SimulateTransactionsEnvironment
from lambdas.fraud.simulations import Simulation, Simulations, TableSimulations
from lambdas.http.problems import ServiceProblemError
from watchkeeper.core.errors import UnavailableError, WatchkeeperError
from watchkeeper.fraud.generator import ID_COLUMN, GeneratedTransaction, world_of

SEED = 7
"""Of the world that the demo trains on."""
TICK_SECONDS = 1.0
BUDGET_SECONDS = 600
"""After so long a call ends, and the machine makes the next one."""


def simulate(
    workload: str,
    run: str,
    simulations: Simulations,
    effects: FraudEffects,
    sleep: Callable[[float], None] = time.sleep,
) -> Simulation | None:
    """Send transactions until the call's or the run's time is over, or it is stopped; return how it stands.

    Raises
    ------
    UnavailableError
        If something does not answer: the same run asked again goes on.
    """
    plan = effects.plans.fraud_plan_of(workload)
    state = simulations.of(workload)
    if state is None or state.run != run:
        return None
    stream, owed = _days(state), 0.0
    until = effects.now().timestamp() + BUDGET_SECONDS
    while state is not None and (now := effects.now().timestamp()) < until and state.is_running(now):
        owed = min(owed + state.rate * TICK_SECONDS, MOST_TRANSACTIONS)
        some = list(itertools.islice(stream, int(owed)))
        owed -= len(some)
        flagged, day = 0, state.day
        if some:
            day = some[-1][0] + 1  # the next run begins with a day of which nothing was sent
            rows = [_sent(transaction, run) for _, transaction in some]
            try:
                decisions = decide(plan, arrivals_in(rows, plan, effects.now()), effects)
            except UnavailableError:
                raise
            except (WatchkeeperError, ServiceProblemError) as error:
                simulations.failed(workload, run, str(getattr(error, "detail", error)))
                return simulations.of(workload)
            flagged = sum(decision.flag for decision in decisions)
        state = simulations.went_on(workload, run, len(some), flagged, day)
        sleep(TICK_SECONDS)
    return state


def _sent(transaction: GeneratedTransaction, run: str) -> dict[str, Any]:
    """Return the fields with an id of the run: others may have sent the same day of the world."""
    return {**transaction.fields, ID_COLUMN: f"{run}-{transaction.fields[ID_COLUMN]}"}


def _days(state: Simulation) -> Iterator[tuple[int, GeneratedTransaction]]:
    world = world_of(SEED, state.fraud_share)
    for day in itertools.count(state.day):
        for transaction in world.transactions(day):
            yield day, transaction


def answer(
    event: dict[str, Any],
    simulations: Simulations,
    effects: FraudEffects,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Do what the machine asks, and return what it goes on by: `running`, `sent` and `flagged`."""
    workload, run = event["workload"], event["run"]
    if "error" in event:
        simulations.failed(workload, run, event["error"])
        return {"running": False}
    state = simulate(workload, run, simulations, effects, sleep)
    if state is None or state.run != run:  # another one has begun
        return {"running": False, "sent": 0, "flagged": 0}
    logger.info("simulated", extra={"workload": workload, "sent": state.sent})
    running = state.is_running(effects.now().timestamp())
    return {"running": running, "sent": state.sent, "flagged": state.flagged}


logger = Logger(service=SimulateTransactionsEnvironment.service)


@functools.cache
def reached() -> tuple[Simulations, FraudEffects]:
    """Return what this process reaches for."""
    found = SimulateTransactionsEnvironment.from_environ()
    simulations = TableSimulations(clients.dynamodb(), clients.stepfunctions(), found.transactions_table)
    return simulations, fraud_effects(found.transactions_table, found.series_table, found.alert_bus)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run a simulation for some minutes and tell whether it goes on, or mark it as failed."""
    simulations, effects = reached()
    return answer(event, simulations, effects)
