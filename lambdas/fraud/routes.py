"""The routes of the fraud API. Each reads who calls, calls the domain, and answers a document."""

from __future__ import annotations

import functools
import re
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import unquote
from uuid import uuid4

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from lambdas.fraud.deciding import NoModelError, decide
from lambdas.fraud.documents import (
    Answer,
    Graph,
    LabelBody,
    LabelDocument,
    LabelTaken,
    ListedTransaction,
    Simulator,
    SimulatorBody,
    Summary,
    TransactionDocument,
    TransactionPage,
)
from lambdas.fraud.effects import FraudEffects
from lambdas.fraud.environment import FraudApiEnvironment
from lambdas.fraud.looking import graph_around, summary_of
from lambdas.fraud.requests import arrivals_in, instant_of, page_start, page_token, readable_plan
from lambdas.fraud.simulations import FIRST_DAY, Simulation, Simulations
from lambdas.fraud.store import Filter
from lambdas.http.openapi import answers
from lambdas.http.problems import INVALID_REQUEST, UNAVAILABLE, ServiceProblemError
from lambdas.http.roles import caller_of
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.timestamps import aware
from watchkeeper.fraud.history import Label, UnknownTransactionError
from watchkeeper.fraud.plan import FraudPlan

PREFIX = "/fraud"
TRANSACTIONS = f"{PREFIX}/transactions"
SIMULATOR = f"{PREFIX}/simulator"
TAG = "Transactions"
SUMMARIZED = timedelta(hours=1)
NO_MODEL_SECONDS = 300
"""When to ask again where a model has to be trained first."""

app = APIGatewayHttpResolver(enable_validation=True)

_PATHS = (
    (re.compile(TRANSACTIONS), ("GET", "POST")),
    (re.compile(rf"{TRANSACTIONS}/[^/]+/label"), ("POST",)),
    (re.compile(SIMULATOR), ("GET", "POST", "DELETE")),
    (re.compile(rf"{TRANSACTIONS}/[^/]+/neighbourhood|{PREFIX}/summary"), ("GET",)),
    (re.compile(rf"{TRANSACTIONS}/[^/]+|{PREFIX}/docs|{PREFIX}/openapi\.json"), ("GET",)),
)

Workload = Annotated[str, Query(min_length=1, max_length=64, description="Name of a fraud workload.")]
TransactionId = Annotated[str, Path(alias="id", min_length=1, max_length=512, description="Id, URL-encoded.")]


@functools.cache
def effects() -> FraudEffects:
    """Return the effects of this process."""
    try:
        environment = FraudApiEnvironment.from_environ()
    except InvalidInputError as error:  # the deployment's fault, not the caller's
        raise ContractViolationError(str(error)) from error
    return FraudEffects.in_aws(environment)


@app.post(
    TRANSACTIONS,
    tags=[TAG],
    summary="Ask whether transactions are fraud",
    responses=answers(
        Answer | list[Answer],  # type: ignore[arg-type]  # pydantic takes a union as a model
        HTTPStatus.OK,
        HTTPStatus.CONFLICT,
        body=True,
    ),
)
def ask(
    workload: Workload,
    body: Annotated[
        dict[str, Any] | list[dict[str, Any]],
        Body(
            description="A transaction, or an array of up to 100: the fields that the workload's file names. "
            "An array is answered by an array in the same order. The same transaction again gets the same "
            "answer."
        ),
    ],
) -> Answer | list[Answer]:
    """Insert transactions into the graph, score them with what is known of their entities, and answer."""
    plan, tools = _plan(workload), effects()
    arrivals = arrivals_in(body, plan, tools.now())
    try:
        decisions = decide(plan, arrivals, tools)
    except NoModelError as error:
        waiting = {"Retry-After": str(NO_MODEL_SECONDS)}
        raise ServiceProblemError(UNAVAILABLE, str(error), headers=waiting) from error
    found = [
        Answer.of(arrival.transaction.id, decision)
        for arrival, decision in zip(arrivals, decisions, strict=True)
    ]
    return found if isinstance(body, list) else found[0]


@app.get(
    TRANSACTIONS,
    tags=[TAG],
    summary="List transactions",
    responses=answers(TransactionPage, HTTPStatus.OK),
)
def list_transactions(
    workload: Workload,
    flag: Annotated[bool | None, Query(description="Only those that are flagged, or not.")] = None,
    label: Annotated[
        Literal["fraud", "legitimate", "unknown"] | None, Query(description="Only those with this label.")
    ] = None,
    since: Annotated[
        datetime | None, Query(alias="from", description="Only those that arrived at this time or later.")
    ] = None,
    until: Annotated[
        datetime | None, Query(alias="to", description="Only those that arrived before this time.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    token: Annotated[str | None, Query(alias="page_token", min_length=1, max_length=2048)] = None,
) -> TransactionPage:
    """Return transactions that came through the API, or whose label did, the last to arrive first.

    With a filter a page may have fewer than `limit`, even none, and a token of the following one.
    """
    store = effects().store_of(_plan(workload))
    if since is not None and until is not None and since >= until:
        raise ServiceProblemError(INVALID_REQUEST, "`from` must be before `to`")
    wanted = Filter(
        flag,
        label,
        None if since is None else instant_of(aware(since)),
        None if until is None else instant_of(aware(until)),
    )
    found = store.listed(wanted, limit, page_start(token) if token else None)
    return TransactionPage(
        transactions=[ListedTransaction.of(live) for live in found.found],
        next_page_token=None if found.following is None else page_token(found.following),
    )


@app.get(
    f"{TRANSACTIONS}/<id>",
    tags=[TAG],
    summary="Everything that is kept of a transaction",
    responses=answers(TransactionDocument, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_transaction(transaction_id: TransactionId, workload: Workload) -> TransactionDocument:
    """Return a transaction with its answer and its label."""
    id_ = unquote(transaction_id)
    stored = effects().store_of(_plan(workload)).get(id_)
    if stored is None:
        raise UnknownTransactionError(id_)
    return TransactionDocument.of(stored)


@app.post(
    f"{TRANSACTIONS}/<id>/label",
    tags=[TAG],
    summary="Say whether a transaction was fraud",
    responses=answers(LabelTaken, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def label_transaction(
    transaction_id: TransactionId, workload: Workload, body: Annotated[LabelBody, Body()]
) -> LabelTaken:
    """Keep a label; later transactions of the same entities see it, and the next training learns from it.

    For operators.
    """
    id_, tools = unquote(transaction_id), effects()
    store = tools.store_of(_plan(workload))
    caller_of(app.current_event.raw_event).let_only("operator", "labelling a transaction")
    stored = store.get(id_)
    if stored is None:
        raise UnknownTransactionError(id_)
    now = tools.now()
    label = Label(body.fraud, max(now.timestamp(), stored.transaction.time), body.by)
    changed = store.label(id_, label, instant_of(now))
    kept = label if changed or stored.label is None else stored.label
    return LabelTaken(id=id_, label=LabelDocument.of(kept), changed=changed)


@app.get(
    f"{TRANSACTIONS}/<id>/neighbourhood",
    tags=[TAG],
    summary="What is around a transaction",
    responses=answers(Graph, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_neighbourhood(transaction_id: TransactionId, workload: Workload) -> Graph:
    """Return its entities, their earlier transactions, and what those share, as a graph."""
    id_, tools = unquote(transaction_id), effects()
    store = tools.store_of(_plan(workload))
    stored = store.get(id_)
    if stored is None:
        raise UnknownTransactionError(id_)
    return graph_around(store, stored, tools.for_each)


@app.get(
    f"{PREFIX}/summary",
    tags=[TAG],
    summary="How many transactions came",
    responses=answers(Summary, HTTPStatus.OK),
)
def show_summary(
    workload: Workload,
    since: Annotated[
        datetime | None, Query(alias="from", description="From this time on; an hour before `to` without.")
    ] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Before this time; now without.")] = None,
) -> Summary:
    """Return counts and amounts of all and of flagged transactions by the minute of their coming."""
    tools = effects()
    store = tools.store_of(_plan(workload))
    end = aware(until) or tools.now()
    begin = aware(since) or end - SUMMARIZED
    if begin >= end:
        raise ServiceProblemError(INVALID_REQUEST, "`from` must be before `to`")
    return summary_of(store, instant_of(begin), instant_of(end))


@app.get(
    SIMULATOR,
    tags=["Simulator"],
    summary="How a simulation goes",
    responses=answers(Simulator, HTTPStatus.OK),
)
def show_simulator(workload: Workload) -> Simulator:
    """Return the last simulation."""
    tools, plan = effects(), _plan(workload)
    return Simulator.of(_simulations().of(plan.workload), tools.now().timestamp())


@app.post(
    SIMULATOR,
    tags=["Simulator"],
    summary="Start a simulation",
    responses=answers(Simulator, HTTPStatus.OK, HTTPStatus.CONFLICT, body=True),
)
def start_simulator(workload: Workload, body: Annotated[SimulatorBody, Body()]) -> Simulator:
    """Let a generated world send transactions for some minutes; for operators."""
    tools, plan = effects(), _plan(workload)
    caller_of(app.current_event.raw_event).let_only("operator", "starting a simulation")
    now = int(tools.now().timestamp())
    wanted = Simulation(
        run=str(uuid4()),
        rate=body.rate,
        fraud_share=body.fraud_share,
        started_at=now,
        until=now + body.seconds,
        day=FIRST_DAY,
    )
    begun = _simulations().start(plan.workload, wanted, now)
    if begun is None:
        raise ServiceProblemError("conflict", f"a simulation of {plan.workload} runs: stop it first")
    return Simulator.of(begun, now)


@app.delete(
    SIMULATOR, tags=["Simulator"], summary="Stop a simulation", responses=answers(Simulator, HTTPStatus.OK)
)
def stop_simulator(workload: Workload) -> Simulator:
    """Stop it with its next transactions; for operators. Where none runs, nothing happens."""
    tools, plan = effects(), _plan(workload)
    caller_of(app.current_event.raw_event).let_only("operator", "stopping a simulation")
    found = _simulations().of(plan.workload)
    if found is not None and found.is_running(tools.now().timestamp()):
        _simulations().stop(plan.workload)
    return show_simulator(workload)


def methods_of(path: str) -> list[str]:
    """Return the methods that a path has; none if it is unknown."""
    return sorted(method for pattern, methods in _PATHS for method in methods if pattern.fullmatch(path))


def _simulations() -> Simulations:
    found = effects().simulations
    if found is None:
        raise ContractViolationError("this deployment starts no simulations")
    return found


def _plan(workload: str) -> FraudPlan:
    return readable_plan(effects().plans, caller_of(app.current_event.raw_event), workload)
