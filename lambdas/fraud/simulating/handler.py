"""Customers who pay and some who defraud: a generated world sends transactions, as the API takes them.

It is asked once, works for some minutes and ends; what it has sent is counted as it goes. Asked again by
Lambda after a failure, it goes on where it was.
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
from watchkeeper.fraud.generator import GeneratedTransaction, world_of

SEED = 7
"""Of the world that the demo trains on."""
TICK_SECONDS = 1.0


def simulate(
    workload: str,
    run: str,
    simulations: Simulations,
    effects: FraudEffects,
    sleep: Callable[[float], None] = time.sleep,
) -> Simulation | None:
    """Send transactions until the run's time is over, or it is stopped; return how it ended.

    Raises
    ------
    UnavailableError
        If something does not answer: the same run asked again goes on.
    """
    plan = effects.plans.fraud_plan_of(workload)
    state = simulations.of(workload)
    if state is None or state.run != run:
        return None
    stream = _days(state)
    owed = 0.0
    while state is not None and state.is_running(effects.now().timestamp()):
        owed = min(owed + state.rate * TICK_SECONDS, MOST_TRANSACTIONS)
        some = list(itertools.islice(stream, int(owed)))
        owed -= len(some)
        flagged, day = 0, state.day
        if some:
            day = some[-1][0] + 1  # the next run begins with a day of which nothing was sent
            rows = [dict(transaction.fields) for _, transaction in some]
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


def _days(state: Simulation) -> Iterator[tuple[int, GeneratedTransaction]]:
    world = world_of(SEED, state.fraud_share)
    for day in itertools.count(state.day):
        for transaction in world.transactions(day):
            yield day, transaction


logger = Logger(service=SimulateTransactionsEnvironment.service)


@functools.cache
def reached() -> tuple[Simulations, FraudEffects]:
    """Return what this process reaches for."""
    found = SimulateTransactionsEnvironment.from_environ()
    simulations = TableSimulations(clients.dynamodb(), clients.functions(), found.transactions_table)
    return simulations, fraud_effects(found.transactions_table, found.series_table, found.alert_bus)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> None:
    """Run a simulation that was started."""
    ended = simulate(event["workload"], event["run"], *reached())
    logger.info("simulated", extra={"workload": event["workload"], "sent": ended.sent if ended else 0})
