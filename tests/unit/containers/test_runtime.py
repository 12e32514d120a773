from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers.runtime import job
from containers.runtime.hyperparameters import decode
from containers.runtime.job import use_vendored
from containers.runtime.processing import PrepareSettings, run_id, smoke_case
from watchkeeper.core.errors import ContractViolationError, InvalidInputError


@dataclass(frozen=True)
class Example:
    trees: int
    rate: float = 0.5
    shuffle: bool = False


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def restored_logging():  # type: ignore[no-untyped-def]
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before


def failing(error: Exception):  # type: ignore[no-untyped-def]
    def job() -> None:
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InvalidInputError("plan.json:\n no 'x'"), "InvalidInputError: plan.json: no 'x'"),
        (ContractViolationError("two parts"), "ContractViolationError: two parts"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
)
def test_failure_is_reported_on_one_line_where_sagemaker_reads_it(
    base: Path, error: Exception, reason: str
) -> None:
    with pytest.raises(SystemExit) as end:
        job.run_job(failing(error))
    assert end.value.code == 1
    assert (base / "output" / "failure").read_text() == reason
    assert (base / "output" / "message").read_text() == reason


def test_long_failure_is_cut_at_what_sagemaker_shows(base: Path) -> None:
    with pytest.raises(SystemExit):
        job.run_job(failing(InvalidInputError("x" * 5000)))
    assert len((base / "output" / "failure").read_text()) == 1024


def test_success_writes_no_failure(base: Path) -> None:
    job.run_job(lambda: None)
    assert not (base / "output").exists()


def test_logs_one_json_object_a_line(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job.configure_logging()
    logging.getLogger("example").info("read\n%d", 2, extra={"source": "a.csv"})
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert (document["message"], document["source"], document["level"]) == ("read\n2", "a.csv", "INFO")


def test_missing_channel_is_named(base: Path) -> None:
    with pytest.raises(ContractViolationError, match="no channel 'plan'"):
        job.training_channel("plan")


def test_hyperparameters_are_decoded_and_the_toolkits_own_passed_over() -> None:
    found = decode(Example, {"trees": "7", "shuffle": "True", "sagemaker_program": "x.py"})
    assert found == Example(trees=7, rate=0.5, shuffle=True)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "'trees' is missing"),
        ({"trees": "seven"}, "trees='seven': expected int"),
        ({"trees": "1", "shuffle": "yes"}, "shuffle='yes': expected true or false"),
        ({"trees": "1", "tree": "2"}, "unknown hyperparameter 'tree'; allowed: trees, rate, shuffle"),
    ],
)
def test_wrong_hyperparameter_is_named(document: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        decode(Example, document)


@pytest.mark.parametrize("absent", [{}, {"WATCHKEEPER_START": ""}, {"WATCHKEEPER_START": "null"}])
def test_window_without_ends_is_open(absent: dict[str, str]) -> None:
    assert PrepareSettings.from_environment(absent) == PrepareSettings(None, None)


def test_window_is_read_in_utc() -> None:
    environment = {"WATCHKEEPER_START": "1970-01-01T01:00:00+01:00", "WATCHKEEPER_END": "1970-01-01 00:01"}
    assert PrepareSettings.from_environment(environment) == PrepareSettings(0, 60)


def test_window_that_is_wrong_is_named() -> None:
    with pytest.raises(InvalidInputError, match="WATCHKEEPER_END: timestamp 'later'"):
        PrepareSettings.from_environment({"WATCHKEEPER_END": "later"})
    with pytest.raises(InvalidInputError, match="the window of the run is empty"):
        PrepareSettings.from_environment({"WATCHKEEPER_START": "1970-01-02", "WATCHKEEPER_END": "1970-01-02"})


def test_evaluation_needs_its_run() -> None:
    with pytest.raises(ContractViolationError, match="WATCHKEEPER_RUN_ID"):
        run_id({})


@pytest.mark.parametrize("count", [1, 5, 19, 20, 1000])
def test_smoke_case_has_the_highest_score_and_few_rows(count: int) -> None:
    scores = [float(index % 7) for index in range(count)]
    scores[count // 2] = 99.0
    case = smoke_case([f"row {index}" for index in range(count)], scores)
    assert 99.0 in case["scores"]
    assert len(case["rows"]) == len(case["scores"]) == min(count, len(case["rows"])) <= 20


def test_vendored_packages_of_another_python_are_refused(tmp_path: Path) -> None:
    (tmp_path / "target.json").write_text('{"python": "2.7"}')
    with pytest.raises(ContractViolationError, match=r"built for Python 2.7 and this container has 3"):
        use_vendored(tmp_path)
