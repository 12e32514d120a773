"""How the tests are shared out between worker processes (`-n 2 --dist loadscope --no-loadscope-reorder`)."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Generator
from pathlib import Path

import botocore.loaders
import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(
        _name, "1"
    )  # before numpy is imported: the workers share the cores, not their threads

# How long an example takes says how busy the machine is, and no test is about that.
hypothesis.settings.register_profile(
    "watchkeeper", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("watchkeeper")

# The models of AWS's services are read once a process, and not once a session.
botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)

JOURNEYS = Path(__file__).parent / "local"
JOURNEY_SECONDS = 900
APART = ("test_journey_first_deployment.py", "test_localcloud_lifecycle.py")
"""Their clouds are their own: any worker may take them."""
FIRST = "test_journey_kill.py"
"""It trains air_quality whether a model of it serves or not: the other journeys go on with that one."""


class Sharing(LoadScopeScheduling):
    """A worker takes a whole file, and one worker takes all journeys that share a cloud."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "journeys" if file.startswith("tests/local/") and not file.endswith(APART) else file


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage among what the tests make: importing them all makes a million objects that stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Sharing:
    """Share out by files and not by `xdist_group`, which has no effect with pytest 9.2 (xdist 3.8)."""
    return Sharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the journeys, which take longest, begin, and take their time."""
    for item in items:
        if JOURNEYS in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(JOURNEY_SECONDS))
    items.sort(
        key=lambda item: (
            JOURNEYS not in item.path.parents or item.path.name in APART,
            item.path.name != FIRST,
        )
    )
