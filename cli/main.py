"""The `watchkeeper` command: one verb a module."""

from __future__ import annotations

import logging

import typer

from cli import backtest, deploy, destroy, drift, invoke, models, replay, score, train, validate
from cli.demo import command as demo
from cli.failures import ReportingGroup

app = typer.Typer(
    cls=ReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Streaming anomaly detection as code. AWS is found as every AWS client finds it: "
    "AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.",
)
for verb in (
    validate.validate,
    deploy.deploy,
    train.train,
    replay.replay,
    invoke.invoke,
    backtest.backtest,
    drift.drift,
    models.models,
    models.approve,
    score.score,
    destroy.destroy,
    demo.demo,
):
    app.command()(verb)


@app.callback()
def configure(verbose: bool = typer.Option(False, "--verbose", help="Log what is done.")) -> None:
    """Set up logging before any verb."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
