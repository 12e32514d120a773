"""A page of a demo: one HTML file that needs no other."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template


def write_page(path: Path, template: str, *, workload: str, **parts: str) -> None:
    """Write the page of a workload: the frame that all have, around the template's content.

    Parameters
    ----------
    template
        Name of the file beside this module.
    parts
        What the template has places for, as HTML.
    """
    frame, content = (
        Template(Path(__file__).with_name(name).read_text()) for name in ("page.html", template)
    )
    name = escape(workload)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(frame.substitute(workload=name, content=content.substitute(parts, workload=name)))


def items(sentences: Sequence[str]) -> str:
    """Return the items of a list."""
    return "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)


def examples(named: Sequence[tuple[str, str]]) -> str:
    """Return lines to copy, each under what it is for."""
    return "".join(f"<h3>{escape(name)}</h3><pre>{escape(lines)}</pre>" for name, lines in named)


def picture(path: Path) -> str:
    """Return the source of an image that has the PNG file in itself."""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
