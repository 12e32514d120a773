import json
from pathlib import Path

from localcloud.persistence import commit, finish_commit


def stage(folder: Path, **contents: str) -> None:
    for key, text in contents.items():
        (folder / f"{key}.staged").write_text(text)


def saved(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text() for path in folder.iterdir()}


def test_commit_replaces_all_files(tmp_path: Path) -> None:
    (tmp_path / "sqs.json").write_text("old")
    stage(tmp_path, sqs="new", sns="new")

    commit(tmp_path, ["sqs", "sns"])

    assert saved(tmp_path) == {"sqs": "new", "sns": "new"}


def test_commit_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    (tmp_path / "sqs.json").write_text("new")  # renamed before the kill
    stage(tmp_path, sns="new")
    (tmp_path / "commit.json").write_text(json.dumps(["sqs", "sns"]))

    finish_commit(tmp_path)

    assert saved(tmp_path) == {"sqs": "new", "sns": "new"}


def test_files_that_were_staged_and_not_committed_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "sqs.json").write_text("old")
    stage(tmp_path, sqs="half")

    finish_commit(tmp_path)

    assert saved(tmp_path) == {"sqs": "old"}
