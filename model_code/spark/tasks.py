"""What Spark's workers do: fetch objects and cut them up by key; take them in, key by key."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from lambdas.adapters.object_store import ObjectUri
from spark.effects import Effects, EffectsOf, Places
from spark.manifest import EVERYWHERE, Context, announced_from_json
from spark.parcels import Parcel, packed, parcels_of, source_of, unpacked
from spark.subtree import Subtree
from watchkeeper.core import layout
from watchkeeper.stream.object_lines import quarantine_document, sort_lines
from watchkeeper.stream.readings import Readings
from watchkeeper.stream.step import Tally

if TYPE_CHECKING:
    from pyspark.sql.streaming.state import GroupState

STATE = "pages binary"
"""Schema of a key's state."""
_ROWS = 64
"""Of a table that is handed to Spark: a row may have megabytes."""
REPORT = "key string, objects long, scored long, unscored long, anomalies long, late long, dropped long"
"""Schema of what a micro-batch says of each key."""


@dataclass(frozen=True)
class Host:
    """How tasks work; sent to them."""

    places: Places
    effects_of: EffectsOf
    depth: int
    """Bits of a key."""

    @property
    def effects(self) -> Effects:
        """Those of the process that asks."""
        return self.effects_of(self.places)

    def fetch(self, batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Read objects (columns `position`, `object`, `context`) and yield their parcels (`PARCEL_ROW`)."""
        for batch in batches:
            for row in batch.itertuples(index=False):
                parcels = self._parcels(row.object, int(row.position), context_of(row.context))
                while rows := [(*parcel, row.context) for parcel in itertools.islice(parcels, _ROWS)]:
                    yield pd.DataFrame(rows, columns=[*Parcel._fields, "context"])

    def _parcels(self, text: str, position: int, context: Context) -> Iterator[Parcel]:
        if text == EVERYWHERE:
            nothing = packed(Readings.none())
            for bits in itertools.product("01", repeat=self.depth):
                yield Parcel("".join(bits), position, EVERYWHERE, nothing)
            return
        announced = announced_from_json(text)
        uri = ObjectUri(announced.bucket, announced.object_key)
        lines = sort_lines(self.effects.objects.read(uri, announced.version_id), context.plan)
        if lines.refused:
            key = layout.quarantine_key(context.plan.workload, announced.source.key)
            self.effects.refuse(key, quarantine_document(announced.source, lines.refused))
        readings = lines.readings(context.plan)
        yield from parcels_of(readings, announced.source, position, self.depth)

    def take_in(
        self, key: tuple[Any, ...], batches: Iterable[pd.DataFrame], state: GroupState
    ) -> Iterator[pd.DataFrame]:
        """Take the parcels of one key in, write what comes of them, and keep the pages as the key's state."""
        rows = sorted(
            (row for batch in batches for row in batch.itertuples(index=False)), key=lambda row: row.position
        )
        context = context_of(rows[0].context)
        (name,) = key
        effects = self.effects
        if state.exists:
            (content,) = state.get
            shelves = Subtree.from_bytes(name, bytes(content))
        else:
            shelves = Subtree(name, effects.first_pages(context.plan.workload, name))
        tally, late, dropped = Tally(), 0, 0
        for row in rows:
            if row.source == EVERYWHERE:
                continue
            readings, source = unpacked(row.readings), source_of(row.source)
            for outcome, taken in shelves.take(readings, source, context.release, context.plan):
                if outcome.output is not None:
                    effects.write(outcome.output)
                tally += outcome.tally
                late += len(taken.late)
                dropped += taken.dropped
        if context.keeps_pages:
            effects.keep(shelves.pages.values())
        if shelves.pages:
            state.update((shelves.to_bytes(),))
        yield pd.DataFrame(
            {
                "key": [name],
                "objects": [len(rows)],
                "scored": [tally.intervals_scored],
                "unscored": [tally.intervals_without_score],
                "anomalies": [tally.anomalies],
                "late": [late],
                "dropped": [dropped],
            }
        )


PARCEL_ROW = "key string, position long, source string, readings binary, context string"
"""Schema of a parcel with its context."""


@functools.lru_cache(maxsize=4)
def context_of(text: str) -> Context:
    """Read a context once a process."""
    return Context.from_json(text)
