"""Walking a guide: what is run, what must be seen, and where a second walk goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aws.guide import Walk, steps_of, unseen

GUIDE = """# A guide

## Settings

```sh
export WHO=world
```

## 1. Say it

```sh
echo "hello $WHO, again"
echo done
```

You see:

```text
hello …, again
done
```

```console
rm -rf never
```

## 2. Note it

```sh
echo noted >> "$FILE"
```

## For people

Nothing to run.
"""


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walk:
    monkeypatch.setenv("FILE", str(tmp_path / "notes"))
    (tmp_path / "guide.md").write_text(GUIDE)
    return Walk(tmp_path / "guide.md", tmp_path / "record.json")


def test_a_step_is_a_section_with_commands_and_console_blocks_are_not_run() -> None:
    settings, first, second = steps_of(GUIDE)

    assert settings.title == "Settings"
    assert first.sees == ("hello …, again", "done")
    assert "never" not in first.commands
    assert second.title == "2. Note it"


def test_settings_hold_in_every_step_and_output_must_be_as_shown(walk: Walk) -> None:
    assert walk.take(walk.steps[0]) == "hello world, again\ndone\n"

    assert unseen(["a … c", "d"], "x\n  a b   c\n") == ["d"]
    assert unseen(["d", "a"], "a\nd\n") == ["a"]  # in this order


def test_a_second_walk_goes_on_after_what_is_done_until_the_guide_changes(walk: Walk) -> None:
    for step in walk.ahead():
        walk.take(step)
        break
    again = Walk(walk.document, walk.record)
    assert [step.title for step in again.ahead()] == ["2. Note it"]

    walk.document.write_text(GUIDE + "\n")
    assert len(list(Walk(walk.document, walk.record).ahead())) == 2


def test_a_command_that_fails_is_told_with_its_output_and_is_not_done(walk: Walk) -> None:
    walk.document.write_text(GUIDE.replace("echo done", "false"))
    failing = Walk(walk.document, walk.record)

    with pytest.raises(AssertionError, match=r"1\. Say it:\nhello world"):
        failing.take(failing.steps[0])
    assert failing.done() == []
