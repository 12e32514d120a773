"""The catalogue is the one list of algorithms: command, API, states and documents have what it has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from lambdas.service_api.documents import TrainBody, UnivariateBody
from watchkeeper.command.score import score
from watchkeeper.detectors import estimators
from watchkeeper.detectors.catalogue import ALGORITHMS, MODELS, RULES, TABULAR, algorithm_of, chosen_name
from watchkeeper.detectors.factory import default_hyperparameters, detector_class
from watchkeeper.detectors.scorer import RowScorer
from watchkeeper.detectors.tabular.rule_parameters import RULE_PARAMETERS

ROOT = Path(__file__).parents[3]
ALIASES = [(alias, entry) for entry in ALGORITHMS.values() for alias in entry.aliases]


@pytest.mark.parametrize("entry", ALGORITHMS.values(), ids=list(ALGORITHMS))
def test_an_entry_is_what_its_class_says(entry) -> None:
    found = detector_class(entry)
    assert getattr(found, "algorithm", entry.name) == entry.name
    assert getattr(found, "rule", entry.name) == entry.name
    defaults = default_hyperparameters(entry.name)
    assert set(entry.search_space) <= set(defaults)
    for name, values in entry.search_space.items():
        assert len(set(values)) == len(values) > 1
        assert defaults[name] in (values[0], None)


@pytest.mark.parametrize(("alias", "entry"), ALIASES, ids=[alias for alias, _ in ALIASES])
def test_the_command_and_the_api_take_the_same_aliases(alias: str, entry) -> None:
    assert algorithm_of(alias) is entry
    assert RowScorer(alias.lower()) is not None
    names, asked = (RULES, "method_name") if entry.family == "rule" else (MODELS, "model_name")
    assert names[chosen_name(f" {alias.upper()} ", names, asked)] is entry


def test_no_two_algorithms_share_a_spelling() -> None:
    spellings = [
        name
        for entry in ALGORITHMS.values()
        for name in {re.sub("[_ -]", "", each).lower() for each in (entry.name, entry.title, *entry.aliases)}
    ]
    assert len(set(spellings)) == len(spellings)


def test_rules_have_their_parameters_and_tabular_detectors_a_contamination() -> None:
    assert set(RULES) == set(RULE_PARAMETERS)
    assert all("contamination" in default_hyperparameters(name) for name in TABULAR)


def test_the_published_contract_names_exactly_the_catalogue() -> None:
    model = TrainBody.model_json_schema()["properties"]["model_name"]
    method = UnivariateBody.model_json_schema()["properties"]["method_name"]
    assert model["enum"] == list(MODELS)
    assert method["enum"] == list(RULES)
    assert all(f"`{title}`: {entry.summary}" in model["description"] for title, entry in MODELS.items())


def test_the_guide_names_every_model_and_method() -> None:
    guide = (ROOT / "docs" / "guides" / "service.md").read_text(encoding="utf-8")
    listed = next(line for line in guide.splitlines() if line.startswith("- `model_name`: "))
    assert re.split(r", ", listed.removeprefix("- `model_name`: ").split(". ")[0]) == list(MODELS)
    assert all(f"`{name}`" in guide for name in RULES)


def test_the_commands_help_says_for_which_rows_each_algorithm_is() -> None:
    (option,) = get_type_hints(score, include_extras=True)["algorithm"].__metadata__
    assert all(f"{name}: {entry.summary}." in option.help for name, entry in ALGORITHMS.items())


def test_estimators_are_found_by_title_and_alias() -> None:
    assert estimators.LocalOutlierFactor is estimators.LOF is estimators.ESTIMATORS["lof"]
    assert estimators.RandomCutForest is estimators.ESTIMATORS["rcf"]
    with pytest.raises(AttributeError, match="no attribute 'Rcf'"):
        _ = estimators.Rcf


def test_the_catalogue_is_read_without_numpy() -> None:
    program = (
        "import sys\nimport watchkeeper.detectors.catalogue, watchkeeper.detectors.tabular.rule_parameters\n"
        "print('numpy' in sys.modules)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT / "model_code"
    )
    assert answer.stdout.strip() == "False"
