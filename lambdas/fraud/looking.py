"""What people look at of a workload's transactions: how many came, and what is around one."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone

from lambdas.fraud.documents import Edge, Graph, Minute, Node, Summary
from lambdas.fraud.store import Filter, TransactionStore, label_name
from lambdas.runtime.threads import ForEach
from watchkeeper.core.timestamps import format_instant, parse_instant
from watchkeeper.fraud.history import StoredTransaction

MOST_COUNTED = 2000
"""Transactions that a summary looks at: the last ones of its time."""
_AT_ONCE = 500
MOST_AROUND = 40
"""Earlier transactions in a graph."""
CENTRE = "transaction"


def summary_of(store: TransactionStore, since: str, until: str) -> Summary:
    """Return the transactions that came between two times, by the minute.

    Those whose label came then are among them: a listing has them in the order of both.
    """
    minutes: defaultdict[datetime, list[float]] = defaultdict(lambda: [0, 0.0, 0, 0.0])
    place: str | None = None
    seen: set[str] = set()
    oldest = until
    while len(seen) < MOST_COUNTED:
        found = store.listed(Filter(since=since, until=until), _AT_ONCE, place)
        for live in found.found:
            seen.add(live.stored.transaction.id)
            oldest = live.arrived_at
            row = minutes[parse_instant(live.arrived_at).replace(second=0, microsecond=0)]
            decision, amount = live.stored.decision, live.stored.transaction.amount
            flagged = decision is not None and decision.flag
            row[0] += 1
            row[1] += amount
            row[2] += flagged
            row[3] += amount if flagged else 0.0
        place = found.following
        if place is None:
            break
    return Summary(
        minutes=[
            Minute(
                start=format_instant(start),
                count=int(row[0]),
                amount=row[1],
                flagged=int(row[2]),
                flagged_amount=row[3],
            )
            for start, row in sorted(minutes.items())
        ],
        complete=place is None,
        counted_from=since if place is None else oldest,
    )


def graph_around(store: TransactionStore, stored: StoredTransaction, for_each: ForEach) -> Graph:
    """Return a transaction, its entities, the earlier transactions of these, and what those share."""
    centre = stored.transaction
    nodes = {centre.id: _node(stored)}
    edges: dict[tuple[str, str], Edge] = {}
    earlier: dict[str, None] = {}
    for relation, history in store.neighbourhood(centre).items():
        earlier.update((one.id, None) for one in history.latest)
        nodes[_entity(relation, centre.entities[relation])] = Node(
            id=_entity(relation, centre.entities[relation]),
            kind=relation,
            name=centre.entities[relation],
            transactions=history.count,
            frauds=history.frauds,
        )
    ids = list(earlier)[:MOST_AROUND]
    around = [one for one in for_each(store.get, ids) if one is not None]
    shared: defaultdict[str, int] = defaultdict(int)
    for one in (stored, *around):
        for relation, key in one.transaction.entities.items():
            shared[_entity(relation, key)] += 1
    for one in (stored, *around):
        nodes.setdefault(one.transaction.id, _node(one))
        for relation, key in one.transaction.entities.items():
            entity = _entity(relation, key)
            if entity not in nodes and shared[entity] > 1:  # what one alone has says nothing of the others
                nodes[entity] = Node(id=entity, kind=relation, name=key)
            if entity in nodes:
                edge = Edge(transaction=one.transaction.id, entity=entity)
                edges[edge.transaction, edge.entity] = edge
    return Graph(
        centre=centre.id, nodes=list(nodes.values()), edges=list(edges.values()), more=len(earlier) > len(ids)
    )


def _node(stored: StoredTransaction) -> Node:
    transaction, decision = stored.transaction, stored.decision
    return Node(
        id=transaction.id,
        kind=CENTRE,
        name=transaction.id,
        time=format_instant(datetime.fromtimestamp(int(transaction.time), timezone.utc)),
        amount=transaction.amount,
        label=label_name(stored.label),
        flag=None if decision is None else decision.flag,
        pred_prob=None if decision is None else decision.pred_prob,
    )


def _entity(relation: str, key: str) -> str:
    return f"{relation}:{key}"
