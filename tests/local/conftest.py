"""One local cloud with the application deployed, shared by all journeys."""

from collections.abc import Iterator

import pytest

from tests.local.laptop import ROOT, Laptop


@pytest.fixture(scope="session")
def shared_laptop() -> Iterator[Laptop]:
    laptop = Laptop(ROOT / "build" / "tests" / "cloud")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in laptop.variables.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        try:
            laptop.cloud.start()
            yield laptop
            # Of all journeys: a role or service that lacks a permission may do harm that no test looks at.
            assert laptop.denied() == []
        finally:
            laptop.cloud.stop()


@pytest.fixture
def laptop(shared_laptop: Laptop) -> Laptop:
    shared_laptop.deploy()
    return shared_laptop
