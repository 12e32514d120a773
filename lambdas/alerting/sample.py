"""The sample that a test of a route sends: marked as one, and never an incident.

It goes the way of an alert, from the alert bus to the receiver, past what decides whether an incident is
told: severity, hours, throttle. Nothing of it is counted or kept but its outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.documents import Document
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.severity import MAX_SEVERITY
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.features.contributions import Contribution, Explanation
from watchkeeper.fraud.decided import DecidedTransaction
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.incidents.causes import Surroundings
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.notice import IncidentNotice, notice_of
from watchkeeper.kinds import AnyPlan, anomaly_plan
from watchkeeper.telemetry.series import key_of

SAMPLE_SEVERITY = 91.0
ROUTE_TEST_DETAIL_TYPE = "Route Test"


@dataclass(frozen=True)
class RouteTest(Document, name="test of a route", refused_as="bad_event"):
    """That somebody tests a route: the detail of an event of the alert bus."""

    test_id: str
    workload: str
    channel: str
    at: str
    """When it was asked for, ISO 8601, UTC."""


@dataclass(frozen=True)
class Sample:
    """What a test sends: an incident, or a transaction, that there is not."""

    test_id: str
    of: IncidentNotice | DecidedTransaction

    @property
    def alert_id(self) -> str:
        """What a receiver removes repetitions by."""
        return self.test_id

    @property
    def workload(self) -> str:
        """Whose route is tested."""
        return self.of.workload

    @property
    def severity(self) -> float:
        """The highest: no subscriber's filter may hold it back."""
        return MAX_SEVERITY


def sample_for(test: RouteTest, plan: AnyPlan) -> Sample:
    """Return what a test sends."""
    at = parse_instant(test.at)
    if isinstance(plan, FraudPlan):
        return Sample(test.test_id, _transaction(plan, at))
    watching = anomaly_plan(plan)
    return Sample(test.test_id, notice_of_opening(watching, sample_of(watching, at)))


def sample_of(plan: WorkloadPlan, now: datetime) -> AnomalyEvent:
    """Return an anomaly that could be: of the first measure, in the interval that ended last."""
    step, measure = plan.interval_seconds, plan.measures[0].name
    return AnomalyEvent(
        workload=plan.workload,
        series=key_of(measure, plan.dimensions, ("example",) * len(plan.dimensions)),
        interval_start=format_instant((epoch_seconds(now) // step - 1) * step),
        interval_seconds=step,
        observed=93.2,
        expected=71.4,
        lower=66.0,
        upper=76.8,
        score=1.4,
        threshold=1.0,
        severity=SAMPLE_SEVERITY,
        run_id="sample",
        execution_arn="",
        model_package_arn="",
        contributions=(Contribution("value", measure, 0, 1.0), Contribution("difference", measure, 0, 0.4)),
        explanation=Explanation("detector"),
    )


def notice_of_opening(plan: WorkloadPlan, event: AnomalyEvent) -> IncidentNotice:
    """Return what is told when an anomaly opens an incident."""
    rule = GroupingRule(plan.incidents.gap(plan.interval_seconds))
    [incident] = incidents_of([event], rule, Surroundings(timezone=plan.timestamp.timezone))
    return notice_of("opened", incident, event)


def _transaction(plan: FraudPlan, at: datetime) -> DecidedTransaction:
    return DecidedTransaction(
        workload=plan.workload,
        id="sample",
        time=at.timestamp(),
        amount=93.2,
        flag=True,
        pred_prob=0.91,
        threshold=0.5,
        severity=SAMPLE_SEVERITY,
        model_version="sample",
    )
