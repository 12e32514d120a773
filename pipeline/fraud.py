"""The training workflow of a fraud workload: transactions become a graph, the graph a model and its store.

Its states are those of every workflow, but for what comes before the model, where Spark makes the graph, and
before the deployment: the store has to know the history before the API asks about a transaction that shares a
card with it. Candidate and champion are asked in the evaluation itself (docs/adr/0002 has batch transform): a
row carries its neighbourhood, and a file of such rows would be a hundred times the table.

A run that fails after loading leaves what it has loaded: facts of the history, which the next run meets as
known and counts once.
"""

from __future__ import annotations

from typing import Any

from stepfunctions.steps.states import State

from pipeline import composition, evaluation, preparation, release
from pipeline.composition import chain
from pipeline.contracts import path
from pipeline.jobs import FRAUD_ARCHIVE, Jobs, channel
from pipeline.packaging import FRAUD_CLASSIFIER
from pipeline.serving import ScriptModeModel
from pipeline.step import EXPORT_TRANSACTIONS, LOAD_GRAPH, Step
from pipeline.tasks import choose, formatted, run_state
from watchkeeper.core import layout
from watchkeeper.fraud.plan import FraudPlan

ROW_TYPES = ("application/x-npy", "text/csv")
"""What the endpoint takes: arrays of the fraud API, text of the smoke test."""


def fraud_definition(jobs: Jobs, plan: FraudPlan) -> dict[str, Any]:
    """Return the state machine of a workload that says of transactions whether they are fraud."""
    classifier = ScriptModeModel(
        jobs,
        "TrainClassifier",
        FRAUD_CLASSIFIER,
        "classifier",
        plan.hyperparameters,
        {"processed": channel(path("run.uris.processed"))},
        accept=evaluation.SCORES_TYPE,
        code=FRAUD_ARCHIVE,
        rows=False,
    )
    cleaning = composition.fail(jobs)
    deploying = chain(
        evaluation.create_model(jobs, classifier),
        release.register_model_package(jobs, classifier, row_types=ROW_TYPES),
        composition.deploy(
            jobs, release.stage_release(jobs, artifact=path("classifier.uri")), broken=cleaning
        ),
    )
    judging = composition.judge(
        jobs,
        module="fraud.evaluate",
        approved=_until_done(jobs, LOAD_GRAPH, "GraphLoaded?", "graph.done", then=deploying),
        rejected=composition.reject(jobs),
        rows="processed",
        candidate=path("classifier.uri"),
        champion=path("champion.artifact"),
    )
    processing = chain(_process(jobs), *classifier.fit(), judging)
    first = chain(
        preparation.open_run(),
        preparation.validate_input(jobs.settings),
        _until_done(jobs, EXPORT_TRANSACTIONS, "TransactionsExported?", "exported.done", then=processing),
    )
    return composition.state_machine(jobs, first, clean_up=cleaning)


def _until_done(jobs: Jobs, step: Step, question: str, done: str, *, then: State) -> State:
    """Call a step again until it is done: a function has minutes, and goes on where the last call ended."""
    task = run_state(step, jobs.settings.workload)
    return chain(task, choose(question, path(done), yes=then, no=task))


def _process(jobs: Jobs) -> State:
    """Make the graph of the history and of what came by the API since."""
    return jobs.spark(
        "ProcessTransactions",
        job=layout.process_job_name(jobs.settings.workload),
        arguments={
            "--run-prefix": path("run.uris.prefix"),
            "--plan-uri": path("run.uris.plan"),
            "--window": formatted("{}/{}", path("window.start"), path("window.end")),
        },
    )
