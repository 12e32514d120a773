"""The CDK application: settings in, stacks out."""

from __future__ import annotations

import aws_cdk as cdk

from infra.application import add_checks, add_stacks, build_bundles
from infra.settings import Settings

# CDK's built-in template check takes most of the synthesis; `make lint` checks the templates with cfn-lint.
app = cdk.App(builtin_cloud_formation_validation=False)
settings = Settings.from_context(app)
add_stacks(app, settings=settings, bundles=build_bundles(settings))
add_checks(app)
app.synth()
