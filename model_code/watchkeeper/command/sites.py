"""`watchkeeper sites`: what private wireless sites need and cost, and which are over a limit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from watchkeeper.command.failures import FAILURE
from watchkeeper.command.screen import complain, console, say
from watchkeeper.spec.sites import Limits, SiteLoad, checked, load_site_plan, loads


def sites(
    plan: Annotated[Path, typer.Argument(help="File of sites (YAML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Check sites, radio units, devices and their rates against limits; ends with 1 where a site is over."""
    read = load_site_plan(plan)
    found = list(loads(read))
    if as_json:
        console.print_json(json.dumps(checked(read)))
    else:
        _show(read.limits, found)
    over = [site.name for site in found if site.over]
    if over:
        complain(f"{len(over)} of {len(found)} sites are over a limit: {', '.join(over)}")
        raise typer.Exit(FAILURE)


def _show(limits: Limits, found: Sequence[SiteLoad]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("site", "units (needed)", "Mbps of", "SIMs of", "headroom", "days (paid)", "USD", "over"):
        table.add_column(name, justify="left" if name in ("site", "over") else "right")
    for site in found:
        table.add_row(
            site.name.replace("[", "\\["),
            f"{site.radio_units} ({site.needed_units})",
            f"{site.megabits_per_second:,.1f} of {site.megabits_capacity:,.0f}",
            f"{site.sims:,} of {site.sims_capacity:,}",
            f"{site.headroom:.0%}",
            f"{site.days} ({site.paid_days})",
            f"{site.usd:,.0f}" + ("" if site.budget_usd is None else f" of {site.budget_usd:,.0f}"),
            ", ".join(site.over),
        )
    console.print(table)
    say(
        f"a radio unit: {limits.megabits_per_second:g} Mbps, {limits.sims} SIMs, {limits.usd_per_hour:g} USD "
        f"an hour, {limits.least_days} days at least ({limits.source})"
    )
    say(f"all sites: {sum(site.usd for site in found):,.0f} USD")
