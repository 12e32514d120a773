"""Glue: the records of jobs and runs, and the tags of all that has an ARN."""

from typing import Any

from ministack.services import glue as _glue

jobs: Any = _glue._jobs
runs: Any = _glue._job_runs
"""The runs of each job by its name, the oldest first."""
security_configurations: Any = _glue._security_configs
tables: Any = _glue._tables
"""Tables of the Data Catalog by `DATABASE/TABLE`."""
tags: Any = _glue._tags
"""Tags by ARN."""
