"""Paths from contracts, and references in parameters."""

from __future__ import annotations

import pytest

from pipeline.contracts import OUTPUTS, path
from pipeline.tasks import formatted, referenced, result_path
from watchkeeper.core.errors import ContractViolationError


def test_a_path_follows_the_fields_of_the_contract() -> None:
    assert path("run.names.endpoint_config") == "$.run.names.endpoint_config"


def test_keys_of_a_mapping_are_free() -> None:
    assert path("decision.metrics.pr_auc") == "$.decision.metrics.pr_auc"


@pytest.mark.parametrize("wrong", ["run.names.endpiont", "runs", "run.run_id.length"])
def test_a_field_that_the_contract_lacks_is_named(wrong: str) -> None:
    with pytest.raises(ContractViolationError, match=wrong.rpartition(".")[2]):
        path(wrong)


def test_references_are_marked_at_any_depth_and_text_is_left_alone() -> None:
    parameters = {
        "Name": "$.run.names.model",
        "At": "$$.Execution.StartTime",
        "Text": "costs $.50? ${RoleArn}",
        "Containers": [{"Url": "States.Format('{}x', $.a)", "Image": "registry/image:1"}],
    }

    assert referenced(parameters) == {
        "Name.$": "$.run.names.model",
        "At.$": "$$.Execution.StartTime",
        "Text": "costs $.50? ${RoleArn}",
        "Containers": [{"Url.$": "States.Format('{}x', $.a)", "Image": "registry/image:1"}],
    }


def test_quotes_in_a_template_are_escaped() -> None:
    assert formatted("it's {}", "$.a") == "States.Format('it\\'s {}', $.a)"


def test_a_state_without_an_output_discards_its_result() -> None:
    assert result_path("CreateModel") is None
    assert result_path("DecidePromotion") == OUTPUTS["DecidePromotion"][0] == "$.decision"
