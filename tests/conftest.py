"""How the tests are shared out between worker processes (`-n 2 --dist loadgroup --no-loadscope-reorder`)."""

from __future__ import annotations

from pathlib import Path

import pytest

JOURNEYS = Path(__file__).parent / "local"
JOURNEY_SECONDS = 900


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests together, and all journeys, which share a cloud; these take longest and begin."""
    for item in items:
        is_journey = JOURNEYS in item.path.parents
        item.add_marker(pytest.mark.xdist_group("journeys" if is_journey else str(item.path)))
        if is_journey and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(JOURNEY_SECONDS))
    items.sort(key=lambda item: JOURNEYS not in item.path.parents)
