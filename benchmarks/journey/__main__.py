"""Measure the scoring loop of one workload on a local cloud of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import pages
from benchmarks.journey.endpoint import measure_endpoint
from benchmarks.journey.flow import connected, measure_alerts, measure_throughput
from benchmarks.journey.laptop import running, trained
from benchmarks.journey.objects import WORKLOAD as FLEET
from benchmarks.journey.objects import measure_fleet
from benchmarks.journey.report import Alerts, Results
from benchmarks.journey.telemetry import source_after_history
from cli.demo.inbox import subscribed
from cli.freshness import told
from cli.specs import anomaly_spec_of
from watchkeeper.command.screen import console, done

JSON = pages.FOLDER / "journey.json"
PAGE = pages.DOCS / "benchmarks-journey.md"
GROWTH = 10
FLEET_SERIES, FLEET_OBJECTS = 100, 20
"""Also measured with ten times the series."""
COMMAND = "make bench-journey"


def main(
    workload: Annotated[str, typer.Option(help="water_flow or machine_temperature.")] = "water_flow",
    records: Annotated[
        int, typer.Option(min=100, help="Records; also measured with ten times as many.")
    ] = 500,
    spikes: Annotated[int, typer.Option(min=1, help="Anomalous records, each followed to its alert.")] = 50,
    freshness: Annotated[
        float, typer.Option(min=0.01, help="Seconds that delivery streams wait, in place of the workload's.")
    ] = 0.05,
    page: Annotated[Path, typer.Option(help="The page to write.")] = PAGE,
) -> None:
    """Measure throughput, time to alert and the endpoint, and how each grows with ten times the records."""
    machine = pages.machine()
    throughput, alerts = [], []
    with running(freshness) as settings:
        subject = trained(settings, workload)
        with (
            connected(subject, source_after_history(subject)) as line,
            subscribed(subject.session, subject.deployment.alert_topic_arn, workload) as inbox,
        ):
            measure_throughput(line, records)  # processes start, connections open, caches fill
            for count in (records, records * GROWTH):
                throughput.append(measure_throughput(line, count))
                before = line.source.sent
                alerts.append(Alerts(before, tuple(measure_alerts(line, inbox, spikes))))
        endpoint = measure_endpoint(subject)
        trained(settings, FLEET, deploy=False)
        bucket = subject.deployment.bucket
        queue = subject.deployment.output("WatchkeeperScoring", "ScoreQueueUrl")
        fleet = tuple(
            measure_fleet(subject.session, bucket, queue, number, count, FLEET_OBJECTS)
            for number, count in enumerate((FLEET_SERIES, FLEET_SERIES * GROWTH))
        )
    results = Results(
        workload=workload,
        command=COMMAND,
        machine=machine,
        buffer_seconds=freshness,
        waited=told(anomaly_spec_of(workload, "the scoring loop"), freshness),
        throughput=(throughput[0], throughput[1]),
        fleet=fleet,
        alerts=(alerts[0], alerts[1]),
        endpoint=tuple(endpoint),
    )
    console.print(results.table())
    pages.save(JSON, results.document())
    page.write_text(results.page())
    done(f"written: {JSON}, {page}")


if __name__ == "__main__":
    typer.run(main)
