"""Alerts in words: what fits into a text message, and what Markdown and Slack would take for marks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.alerting.formats import GSM_CHARACTERS, UCS2_CHARACTERS, in_words, one_message
from tests.unit.lambdas.builders import make_notice
from watchkeeper.fraud.decided import DecidedTransaction
from watchkeeper.incidents.notice import IncidentNotice


def titled(title: str) -> IncidentNotice:
    notice = make_notice(severity=87.0)
    return replace(notice, incident=replace(notice.incident, title=title, severity=87.0))


def test_a_text_message_says_workload_title_and_severity() -> None:
    notice = titled("NO2 and SO2 high at B-101 since 14:05, 3 of 12 stations")
    assert in_words("short", notice, "UTC") == (
        "pump: NO2 and SO2 high at B-101 since 14:05, 3 of 12 stations, severity 87 (limit 70)"
    )
    assert in_words("short", replace(notice, what="closed"), "UTC").startswith("pump: over: NO2")


@pytest.mark.parametrize(
    ("title", "length"),
    [("a" * 500, GSM_CHARACTERS), ("é" * 500, GSM_CHARACTERS), ("ж" * 500, UCS2_CHARACTERS)],
)
def test_a_long_title_is_cut_and_the_severity_stays(title: str, length: int) -> None:
    text = in_words("short", titled(title), "UTC")
    assert len(text) == length
    assert text.endswith("..., severity 87 (limit 70)")


@given(st.text(max_size=300), st.text(max_size=20))
def test_every_text_fits_into_one_message(text: str, end: str) -> None:
    found = one_message(text, end)
    assert found.endswith(end)
    as_ucs2 = len(found.encode("utf-16-le", "surrogatepass")) // 2
    twice = sum(character in "^{}\\[~]|€\f" for character in found)
    assert as_ucs2 <= UCS2_CHARACTERS or len(found) + twice <= GSM_CHARACTERS


def test_markdown_and_slack_show_a_series_as_it_is_written() -> None:
    notice = titled("<a & b> *c* since 14:05")
    assert in_words("markdown", notice, "UTC").splitlines()[0] == (
        r"**\[pump\] \<a & b\> \*c\* since 14:05**"
    )
    slack = in_words("slack", notice, "UTC")
    assert slack.splitlines()[0] == "*[pump] &lt;a &amp; b&gt; *c* since 14:05*"
    assert f"incident {notice.incident.incident_id}" in slack
    assert "pressure|device=a: 90, above its usual range" in slack


def test_a_transaction_has_the_same_formats() -> None:
    event = DecidedTransaction("card_fraud", "t1", 1000.0, 12.5, True, 0.9, 0.5, 94.0, "run-1")
    assert in_words("short", event, "UTC") == "[card_fraud] fraud suspected in t1, severity 94 (limit 70)"
    heading = "*[card_fraud] fraud suspected in t1, severity 94 (limit 70)*"
    assert in_words("slack", event, "UTC").startswith(f"{heading}\n• ")
    assert in_words("text", event, "UTC").startswith("[card_fraud] fraud suspected in t1")
