"""The `watchkeeper` command of a checkout: one verb a module, and those of the library."""

from __future__ import annotations

from cli import backtest, deploy, destroy, drift, invoke, models, replay, train
from cli.cost.command import cost
from cli.demo import command as demo
from cli.failures import AwsReportingGroup
from cli.preflight.command import preflight
from watchkeeper.command.main import LIBRARY_VERBS, application

app = application(
    (
        *LIBRARY_VERBS,
        preflight,
        cost,
        deploy.deploy,
        train.train,
        replay.replay,
        invoke.invoke,
        backtest.backtest,
        drift.drift,
        models.models,
        models.approve,
        destroy.destroy,
        demo.demo,
    ),
    AwsReportingGroup,
    "Streaming anomaly detection as code. AWS is found as every AWS client finds it: "
    "AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.",
)
