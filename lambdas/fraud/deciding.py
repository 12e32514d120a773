"""From transactions to answers: into the graph, to the model, kept, told.

Each step may be repeated. A transaction whose answer was not kept is scored again, with the vector and the
neighbourhood of its own time; one that has its answer is told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lambdas.fraud.effects import FraudEffects
from lambdas.fraud.endpoint import Scored
from lambdas.fraud.store import Arrival, Placed
from watchkeeper.core.errors import UnavailableError
from watchkeeper.fraud.decided import DECIDED_DETAIL_TYPE, DecidedTransaction, severity_of
from watchkeeper.fraud.ego import ego_of, stacked
from watchkeeper.fraud.features import vector_of
from watchkeeper.fraud.history import Decision, EntityHistory
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.release import FraudRelease
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.transaction import Transaction

SHOWN_TRANSACTIONS = 3
"""Earlier transactions that a reason names: those that were fraud first, then the latest."""


class NoModelError(UnavailableError):
    """No model of this workload can answer yet."""


def decide(plan: FraudPlan, arrivals: Sequence[Arrival], effects: FraudEffects) -> list[Decision]:
    """Return the answer to each transaction, in their order.

    Raises
    ------
    ConflictError
        If an id is known with other content; then nothing is inserted.
    NoModelError
        If no model is live for the features that the plan has; then nothing is inserted.
    UnavailableError
        If the store, the endpoint or the bus does not answer: what is inserted stays, and the same request
        again gets the answers.
    """
    release = _release_for(plan, effects)
    store = effects.store_of(plan)
    missed: list[UnavailableError] = []

    def at_once(one: Placed) -> Decision | None:
        """Return the answer, to be inserted by the same write; if nothing answers, insert without it."""
        try:
            return _scored(plan, release, [one], effects)[0]
        except UnavailableError as error:
            missed.append(error)
            return None

    placed = store.place(
        arrivals,
        lambda transaction, around: vector_of(transaction, around, plan),
        at_once if len(arrivals) == 1 else None,  # several rows are one question to the endpoint
    )
    if missed:
        raise missed[-1]
    answers = {
        one.stored.transaction.id: one.stored.decision for one in placed if one.stored.decision is not None
    }
    waiting = list({id_: one for one in placed if (id_ := one.stored.transaction.id) not in answers}.values())
    decisions = _scored(plan, release, waiting, effects)
    kept = effects.for_each(
        lambda at: store.keep_answer(waiting[at].stored.transaction.id, decisions[at]), range(len(waiting))
    )
    answers |= {one.stored.transaction.id: decision for one, decision in zip(waiting, kept, strict=True)}
    given = [answers[one.stored.transaction.id] for one in placed]
    details = {
        one.stored.transaction.id: _event(plan.workload, one.stored.transaction, decision).to_json()
        for one, decision in zip(placed, given, strict=True)
    }
    effects.bus.put(DECIDED_DETAIL_TYPE, list(details.values()))
    return given


def _release_for(plan: FraudPlan, effects: FraudEffects) -> FraudRelease:
    release = effects.releases.live(plan.workload)
    if release is None:
        raise NoModelError(f"workload {plan.workload} has no model yet: train it")
    if release.schema_hash != schema_of(plan).hash:
        raise NoModelError(
            f"workload {plan.workload} has other features than its model {release.run_id}: train it again"
        )
    return release


def _scored(
    plan: FraudPlan, release: FraudRelease, waiting: Sequence[Placed], effects: FraudEffects
) -> list[Decision]:
    if not waiting:
        return []
    egos = [
        ego_of(one.stored.vector, one.stored.transaction.time, one.neighbourhood, plan) for one in waiting
    ]
    scored = effects.endpoint.score(release.endpoint, stacked(egos).to_flat())
    return [
        _decision(plan, _release_of(answer, release, effects), one, answer)
        for one, answer in zip(waiting, scored, strict=True)
    ]


def _release_of(answer: Scored, live: FraudRelease, effects: FraudEffects) -> FraudRelease:
    """Return the release of the model that answered: a new one does so shortly before it is published."""
    if answer.threshold is None or answer.threshold == live.threshold:
        return live
    found = effects.releases.with_threshold(live.workload, answer.threshold)
    if found is None:
        raise UnavailableError(
            f"endpoint {live.endpoint} answers with a model of threshold {answer.threshold}, of which no "
            "release is known: a deployment is under way"
        )
    return found


def _decision(plan: FraudPlan, release: FraudRelease, one: Placed, answer: Scored) -> Decision:
    return Decision(
        pred_prob=answer.pred_prob,
        flag=answer.pred_prob >= release.threshold,
        threshold=release.threshold,
        model_version=release.run_id,
        reasons=_reasons(plan, one, answer),
    )


def _reasons(plan: FraudPlan, one: Placed, answer: Scored) -> tuple[dict[str, Any], ...]:
    """Return what the relations that the transaction has add, the most first."""
    entities = one.stored.transaction.entities
    found = [
        {
            "relation": relation.name,
            "entity": entities[relation.name],
            "contribution": contribution,
            "transactions": _shown(
                one.neighbourhood[relation.name],
                one.stored.transaction.time,
                [place for moved, place in answer.moved if moved == at],
            ),
        }
        for at, (relation, contribution) in enumerate(zip(plan.relations, answer.contributions, strict=False))
        if relation.name in entities
    ]
    return tuple(sorted(found, key=lambda reason: -float(str(reason["contribution"]))))


def _shown(history: EntityHistory, time: float, moved: Sequence[int]) -> list[str]:
    """Return earlier transactions: those that moved the score, then frauds, then the latest."""
    of_score = [history.latest[place] for place in moved if place < len(history.latest)]
    by_verdict = sorted(history.latest, key=lambda one: -(one.label_at(time) > 0))
    ids = dict.fromkeys(one.id for one in (*of_score, *by_verdict))
    return list(ids)[:SHOWN_TRANSACTIONS]


def _event(workload: str, transaction: Transaction, decision: Decision) -> DecidedTransaction:
    return DecidedTransaction(
        workload=workload,
        id=transaction.id,
        time=transaction.time,
        amount=transaction.amount,
        flag=decision.flag,
        pred_prob=decision.pred_prob,
        threshold=decision.threshold,
        severity=severity_of(decision.pred_prob, decision.threshold),
        model_version=decision.model_version,
        reasons=decision.reasons,
    )
