"""The report as one web page: charts are in it, and it asks for nothing from anywhere."""

from __future__ import annotations

import base64
from html import escape

from containers.explain.report.blocks import Block, Chart, Document, Section, Table

_STYLE = """
:root { --ink: #1f2933; --soft: #66727f; --line: #e4e7eb; --blue: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: #f3f5f7; color: var(--ink);
  font: 16px/1.55 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 920px; margin: 32px auto; padding: 40px 48px 56px; background: #fff;
  border: 1px solid var(--line); border-radius: 6px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; }
.subtitle { margin: 6px 0 0; color: var(--soft); }
h2 { margin: 44px 0 10px; padding-top: 18px; border-top: 1px solid var(--line); font-size: 20px; }
.summary { margin-top: 28px; padding: 18px 26px; background: #eef4fa; border-left: 4px solid var(--blue); }
.summary h2 { margin: 0 0 6px; padding: 0; border: 0; }
ul { margin: 8px 0; padding-left: 22px; } li { margin: 5px 0; }
p { margin: 10px 0; max-width: 74ch; }
img { display: block; width: 100%; height: auto; margin: 14px 0 20px; }
table { width: 100%; margin: 14px 0 22px; border-collapse: collapse; font-size: 14.5px; }
th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { padding: 7px 10px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { font-weight: 600; }
.number { text-align: right; white-space: nowrap; padding-right: 22px; font-variant-numeric: tabular-nums; }
@media (max-width: 700px) { main { margin: 0; padding: 24px 18px; border: 0; } }
@media print { body { background: #fff; } main { border: 0; margin: 0; padding: 0; } h2, img { break-inside:
avoid; } }
"""


def render_page(document: Document) -> str:
    """Return the page."""
    sections = "\n".join(map(_section, document.sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(document.title)}</h1>\n<p class="subtitle">{escape(document.subtitle)}</p>\n'
        f"{sections}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    kind = ' class="summary"' if section.title == "Summary" else ""
    blocks = "\n".join(map(_block, section.blocks))
    return f"<section{kind}>\n<h2>{escape(section.title)}</h2>\n{blocks}\n</section>"


def _block(block: Block) -> str:
    if isinstance(block, Chart):
        return _image(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, list):
        return "<ul>" + "".join(f"<li>{escape(point)}</li>" for point in block) + "</ul>"
    return f"<p>{escape(block)}</p>"


def _image(chart: Chart) -> str:
    data = base64.b64encode(chart.png).decode()
    return f'<img alt="{escape(chart.alternative)}" src="data:image/png;base64,{data}">'


def _table(table: Table) -> str:
    def row(cells: list[str], tag: str) -> str:
        marked = (
            f'<{tag} class="number">{escape(text)}</{tag}>'
            if index in table.numeric
            else f"<{tag}>{escape(text)}</{tag}>"
            for index, text in enumerate(cells)
        )
        return f"<tr>{''.join(marked)}</tr>"

    body = "".join(row(cells, "td") for cells in table.rows)
    return f"<table><thead>{row(table.header, 'th')}</thead><tbody>{body}</tbody></table>"
