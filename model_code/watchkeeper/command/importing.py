"""`watchkeeper import`: workload files from detectors of other services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.command.failures import USAGE
from watchkeeper.command.screen import complain, done, note, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.importing import cloudwatch, lookout, metrics_advisor, opensearch
from watchkeeper.importing.documents import Document, read_documents
from watchkeeper.importing.draft import Draft, Unmade, problems_of, text_of
from watchkeeper.spec import WorkloadSpecError

Reader = Callable[[Sequence[Document]], Iterator[Draft | Unmade]]
READERS: tuple[Reader, ...] = (lookout.drafts, cloudwatch.drafts, opensearch.drafts, metrics_advisor.drafts)
"""Each makes what it can of all files together: what belongs together may be in several."""


def import_detectors(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Templates of CloudFormation, or what an API answers of Lookout for Metrics, CloudWatch, "
            "OpenSearch or Azure Metrics Advisor: JSON or YAML. What belongs together is given together."
        ),
    ],
    folder: Annotated[Path, typer.Option(help="Where the workload files are written.")] = Path("workloads"),
    parameter: Annotated[
        list[str] | None, typer.Option(help="Value of a template's parameter: NAME=VALUE; may be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
) -> None:
    """Make workload files of detectors of other services, and say what could not be carried over."""
    documents = _documents(files, _parameters(parameter or []))
    written = 0
    for found in (each for reader in READERS for each in reader(documents)):
        if isinstance(found, Unmade):
            note(f"nothing made of {found}")
        else:
            written += _write(found, folder, force=force)
    if not written:
        complain(
            "no workload was made: the files have no detector that can be one, or what belongs together was "
            "not given together"
        )
        raise typer.Exit(USAGE)
    say("next: watchkeeper validate, say in alerts.routes who is told, and watchkeeper up NAME")


def _parameters(given: Sequence[str]) -> Mapping[str, str]:
    for each in given:
        if "=" not in each:
            raise InvalidInputError(f"--parameter {each}: must be NAME=VALUE")
    return {name: value for name, _, value in (each.partition("=") for each in given)}


def _documents(files: Sequence[Path], parameters: Mapping[str, str]) -> list[Document]:
    return [document for file in files for document in _documents_of(file, parameters)]


def _documents_of(file: Path, parameters: Mapping[str, str]) -> list[Document]:
    try:
        return read_documents(file, parameters)
    except InvalidInputError as error:
        complain(str(error))
        return []


def _write(draft: Draft, folder: Path, *, force: bool) -> bool:
    path = folder / f"{draft.name}.yaml"
    if path.exists() and not force:
        complain(f"nothing made of {draft.origin}: {path} is there already: --force writes over it")
        return False
    try:
        text = text_of(draft, path)
    except WorkloadSpecError as error:
        complain(f"nothing made of {draft.origin}: {problems_of(error)}")
        return False
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    done(f"{path}: made of {draft.origin}")
    for left in draft.left:
        say(f"  - {left.what}")
        say(f"    {left.reason}; nearest: {left.nearest}")
    return True
