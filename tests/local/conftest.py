"""One local cloud with the application deployed, shared by all journeys."""

from collections.abc import Iterator

import pytest

from localcloud.images.registry import image_named
from tests.local.beside import workloads_beside
from tests.local.laptop import ROOT, Laptop
from tests.local.receivers import Receivers
from tests.local.transactions import FraudTraining, train_world


@pytest.fixture(scope="session")
def started_laptop() -> Iterator[Laptop]:
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


@pytest.fixture(scope="session")
def alert_receivers(started_laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    found = workloads_beside(started_laptop, tmp_path_factory.mktemp("workloads"))
    with found.ending:
        yield found


@pytest.fixture(scope="session")
def shared_laptop(started_laptop: Laptop, alert_receivers: Receivers) -> Laptop:
    return started_laptop


@pytest.fixture
def laptop(shared_laptop: Laptop) -> Laptop:
    shared_laptop.deploy()
    return shared_laptop


@pytest.fixture(scope="session")
def fraud_training(shared_laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> FraudTraining:
    """The first training of card_fraud, for all tests that need its graph or its model."""
    if not image_named("glue", shared_laptop.cloud.settings.image_home).is_built:
        pytest.skip("Spark's environment is not built: python -m localcloud images glue")
    shared_laptop.deploy()
    return train_world(shared_laptop, tmp_path_factory.mktemp("transactions"))
