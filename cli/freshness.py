"""How long telemetry waits before it is scored: as the workload says, and as a deployment was told instead.

The laptop's delivery streams may be told to wait less, so that a demo is no test of patience. Then its
figures say so: an account waits as the workload says.
"""

from __future__ import annotations

from typing import Annotated

import typer

from watchkeeper.spec import AnomalyWorkload
from watchkeeper.spec.fields import duration_text

Overridden = Annotated[
    float | None,
    typer.Option(
        "--freshness",
        envvar="WATCHKEEPER_FRESHNESS",
        help="Seconds that this deployment's delivery streams wait, in place of what the workload says.",
    ),
]


def told(spec: AnomalyWorkload, overridden_seconds: float | None) -> str:
    """Say how long a record waits in the delivery stream, here and in an account.

    Parameters
    ----------
    overridden_seconds
        What the delivery streams were told to wait here; None where it is what the workload says.
    """
    if spec.source.offset is not None:
        return f"source.{spec.source.place} is asked {duration_text(spec.source.offset)} after each interval"
    if spec.source.folders is not None:
        return "files are fetched when they are written"
    delivery = spec.delivery
    stream = "the stream that workloads share" if delivery.partitioned else "a stream of its own"
    wait = f"up to {delivery.longest_seconds:g} s" if delivery.buffer_seconds else "a few seconds"
    asked = f"freshness {duration_text(spec.freshness)}: {wait} in {stream}"
    if overridden_seconds is None:
        return asked
    return f"{asked}, in an account; here it was overridden by {overridden_seconds:g} s"
