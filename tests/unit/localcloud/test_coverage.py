from pathlib import Path
from typing import Any

import pytest

from localcloud import coverage


def test_property_that_no_provisioner_reads_is_recorded() -> None:
    handlers: dict[str, dict[str, Any]] = {
        "Test::Unread": {"create": lambda logical_id, properties, stack: (properties.get("Name"), {})},
        "Test::AllRead": {"create": lambda logical_id, properties, stack: (dict(properties.items()), {})},
    }
    coverage.watch(handlers)

    assert handlers["Test::Unread"]["create"]("Id", {"Name": "n", "Tags": []}, "stack") == ("n", {})
    handlers["Test::AllRead"]["create"]("Id", {"Name": "n", "Tags": []}, "stack")

    assert coverage.ignored()["Test::Unread"] == ["Tags"]
    assert "Test::AllRead" not in coverage.ignored()


def test_table_of_the_page_gets_new_rows_and_keeps_the_old(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{coverage.BEGIN}| AWS::A | Old |\n{coverage.END}after\n")

    coverage.write_table(page, {"AWS::B": ["New"]})
    coverage.write_table(page, {"AWS::B": ["New"]})

    rows = "| resource type | ignored property |\n| --- | --- |\n| AWS::A | Old |\n| AWS::B | New |\n"
    assert page.read_text() == f"before\n{coverage.BEGIN}{rows}{coverage.END}after\n"


def test_page_without_markers_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")

    with pytest.raises(ValueError, match="has no lines"):
        coverage.write_table(page, {})
