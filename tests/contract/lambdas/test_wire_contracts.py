"""What the functions share with the parts that call them or that they call."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

import watchkeeper.core.errors
from lambdas.adapters.endpoint import refused_record
from lambdas.adapters.object_store import ObjectUri
from lambdas.steps import validate_input
from lambdas.steps.clean_up import CleanUpEffects, clean_up
from lambdas.steps.decide_promotion import decide
from lambdas.steps.smoke_test import MALFORMED_ROW
from lambdas.steps.validate_input import validate
from pipeline import contracts
from pipeline.step import CLEAN_UP, DECIDE_PROMOTION
from tests.unit.lambdas.builders import make_evaluation, make_plan, make_run
from tests.unit.lambdas.fakes import FakeObjectStore, FakeReleaseStore, FakeResources
from tests.unit.lambdas.golden_events import golden_event
from tests.unit.lambdas.test_validate_input import effects_of
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.rows import parse_rows

PIPELINE = Path(contracts.__file__).parent


def fields_of(contract: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(contract)}


def test_validated_input_has_what_the_workflow_keeps() -> None:
    """The workflow adds the count of polls itself."""
    result = validate(golden_event("validate_input"), effects_of(history=b"x"))
    assert set(result) == fields_of(validate_input.Validated)
    assert set(result["champion"]) == fields_of(validate_input.Champion)
    assert set(result["endpoint"]) == fields_of(validate_input.EndpointPresence)
    assert set(result["window"]) == fields_of(validate_input.Window)
    assert set(result["sources"]) == fields_of(validate_input.Sources)
    assert set(result["registered"]) == fields_of(validate_input.ServedModel)


def test_decision_has_what_the_workflow_keeps() -> None:
    run = make_run()
    objects = FakeObjectStore()
    objects.objects[ObjectUri.parse(run.uris.plan)] = make_plan().to_json().encode()
    evaluation = ObjectUri.parse(f"{run.uris.evaluation}evaluation.json")
    objects.objects[evaluation] = make_evaluation(run).to_json().encode()
    result = decide({"run": run.to_dict()}, objects)
    assert set(result) == fields_of(DECIDE_PROMOTION.result)
    json.dumps(result, allow_nan=False)


def test_clean_up_has_what_the_workflow_keeps() -> None:
    result = clean_up(golden_event("clean_up_job_error"), CleanUpEffects(FakeReleaseStore(), FakeResources()))
    assert set(result) == fields_of(CLEAN_UP.result)


def test_workflow_retries_errors_by_names_that_exist() -> None:
    """A state sees an exception under the name of its class, not of its base classes."""
    named = {
        name for file in PIPELINE.glob("*.py") for name in re.findall(r'"([A-Z]\w+Error)"', file.read_text())
    }
    assert "UnavailableError" in named
    assert all(hasattr(watchkeeper.core.errors, name) for name in named)


@pytest.mark.parametrize("position", [0, 3, 11])
def test_record_that_a_container_names_is_the_row_that_was_refused(position: int) -> None:
    rows = ["2024-01-01T00:00:00Z,pressure,1.0"] * 12
    rows[position] = MALFORMED_ROW
    with pytest.raises(InvalidInputError) as error:
        list(parse_rows(rows))
    assert refused_record(str(error.value)) == position
