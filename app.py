"""The CDK application: settings in, stacks out."""

# ruff: noqa: E402
from __future__ import annotations

import gc

gc.disable()  # it would take a third of this process's time, and next to nothing is garbage before the end

import aws_cdk as cdk

from infra.application import add_checks, add_stacks
from infra.bundles import Bundles
from infra.settings import Settings
from watchkeeper.spec import load_workloads

# CDK's built-in template check takes most of the synthesis; tests/infra runs cfn-lint on the templates.
app = cdk.App(builtin_cloud_formation_validation=False)
settings = Settings.from_context(app)
workloads = settings.chosen(load_workloads(settings.workloads))
add_stacks(app, settings=settings, workloads=workloads, bundles=Bundles(settings))
add_checks(app)
app.synth()
