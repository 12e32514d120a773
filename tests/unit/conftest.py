"""What holds for all unit tests."""

import pytest


@pytest.fixture(autouse=True)
def _no_cloud_of_a_journey(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has run journeys still has their cloud's address: moto answers only AWS's own."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
