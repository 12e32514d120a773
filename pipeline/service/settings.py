"""Constants of the service's definitions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceSettings:
    """What is written into the definitions.

    Parameters
    ----------
    search_jobs
        Jobs that share the candidates of a search; each tries the same number of them, one after the other.
    search_concurrency
        How many of them run at once. A job takes minutes to start on AWS, and an account has a quota of
        instances.
    """

    region: str
    job_instance: str = "ml.m5.xlarge"
    search_jobs: int = 3
    search_concurrency: int = 3
