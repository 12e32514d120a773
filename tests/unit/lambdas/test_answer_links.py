"""Links by which alerts are answered: signed, for a while, for one answer, and by a button only."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.adapters.secret_store import KEY_CACHE_SECONDS, OLD_KEY_SECONDS, SecretLinkKeys
from lambdas.alerting.alert import alert_of, delivered, structured
from lambdas.alerting.formats import in_words
from lambdas.alerting.links import Answer, Verb, answer_of, links_of, token_of
from lambdas.alerting.publishing import publish
from lambdas.console import asking
from lambdas.console.answers import page_of
from tests.unit.lambdas.builders import BEGIN, make_notice, make_plan
from tests.unit.lambdas.console_world import AIR, AIR_PLAN, NOW, World
from tests.unit.lambdas.fakes import AlertFakes
from tests.unit.lambdas.service_dependencies import Answer as HttpAnswer
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.incidents.incident import TAKEN_BACK, Incident

KEY, OTHER = b"k" * 32, b"o" * 32
PAGE = "https://example.com/watch/answers"
UNTIL = BEGIN + timedelta(days=3)
GIVEN = Answer("pump", "f672912864a58451", "real", ("operators", "on_call"), int(UNTIL.timestamp()))
LINKS = links_of(make_notice().incident, ("operations",), UNTIL, PAGE, KEY)


def test_a_link_says_what_was_signed() -> None:
    assert answer_of(token_of(GIVEN, KEY), [OTHER, KEY], BEGIN) == GIVEN
    assert GIVEN.who == "by link (routes operators, on_call)"
    assert replace(GIVEN, routes=("operators",)).who == "by link (route operators)"


def test_a_link_ends() -> None:
    token = token_of(GIVEN, KEY)
    assert answer_of(token, [KEY], UNTIL - timedelta(seconds=1)) == GIVEN
    with pytest.raises(InvalidInputError, match="good until 2024-01-04T00:00:00Z") as refused:
        answer_of(token, [KEY], UNTIL)
    assert refused.value.reason == "expired_link"


@given(st.data())
def test_no_other_text_is_a_link(data: st.DataObject) -> None:
    token = token_of(GIVEN, KEY)
    at = data.draw(st.integers(0, len(token) - 2))  # the last letter has bits that say nothing
    letter = data.draw(st.characters(codec="ascii"))
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(InvalidInputError) as refused:
        answer_of(changed, [KEY], BEGIN)
    assert refused.value.reason == "bad_link"


@pytest.mark.parametrize("token", ["", ".", "a", "é.é", "a" * 10_000, token_of(GIVEN, OTHER)])
def test_what_was_not_signed_by_an_accepted_key_is_refused(token: str) -> None:
    with pytest.raises(InvalidInputError, match="no longer accepted"):
        answer_of(token, [KEY], BEGIN)


class Secret:
    """The key in moto's Secrets Manager, at a time."""

    def __init__(self) -> None:
        self.client = boto3.client("secretsmanager")
        self.id = self.client.create_secret(Name="links", SecretString="first")["ARN"]
        self.keys = SecretLinkKeys(self.client, self.id, clock=lambda: self.now.timestamp())
        self.now = datetime.now(UTC)

    def exchange(self, key: str) -> None:
        self.client.put_secret_value(SecretId=self.id, SecretString=key)


def test_an_exchanged_key_is_accepted_for_the_stated_time(aws: object) -> None:
    secret = Secret()
    assert secret.keys.accepted() == (b"first",)
    secret.exchange("second")
    assert secret.keys.signing() == b"first", "it was read less than a minute ago"
    secret.now += timedelta(seconds=KEY_CACHE_SECONDS)
    assert (secret.keys.signing(), secret.keys.accepted()) == (b"second", (b"second", b"first"))
    secret.now += timedelta(seconds=OLD_KEY_SECONDS)
    assert secret.keys.accepted() == (b"second",)


def test_a_key_that_is_exchanged_twice_is_gone(aws: object) -> None:
    secret = Secret()
    secret.exchange("second")
    secret.exchange("third")
    assert secret.keys.accepted() == (b"third", b"second")


def test_every_format_for_people_has_the_links_but_a_text_message() -> None:
    notice = make_notice()
    urls = [LINKS.urls[verb] for verb in ("acknowledge", "real", "expected", "noise")]
    text = in_words("text", notice, "Europe/Berlin", LINKS)
    assert text.splitlines()[-5:] == [
        "Answer it by a link, until 2024-01-04 01:00 CET (00:00 UTC):",
        f"  I look after it: {urls[0]}",
        f"  It was real: {urls[1]}",
        f"  It was expected: {urls[2]}",
        f"  Nothing happened: {urls[3]}",
    ]
    last = in_words("markdown", notice, "UTC", LINKS).splitlines()[-1]
    assert last.startswith("- Answer it by a link, until 2024-01-04 00:00 UTC: ")
    assert f"[I look after it]({urls[0]}), [It was real]({urls[1]})" in last
    assert f"<{urls[3]}|Nothing happened>" in in_words("slack", notice, "UTC", LINKS).splitlines()[-1]
    assert "http" not in in_words("short", notice, "UTC", LINKS)
    assert in_words("text", notice, "UTC") == in_words("text", notice, "UTC", LINKS).rpartition("\n\n")[0]


def test_programs_get_the_links_too() -> None:
    found = delivered(structured(make_notice(), ["operations"], LINKS))
    assert (found.event, found.links) == (make_notice(), LINKS)
    assert delivered(alert_of(make_notice(), ["operations"]).messages["sqs"]).links is None


def test_an_incident_that_is_not_open_has_nothing_to_look_after() -> None:
    over = replace(make_notice().incident, state="closed")
    assert list(links_of(over, ("a",), UNTIL, PAGE, KEY).urls) == ["real", "expected", "noise"]


@pytest.mark.parametrize("seconds", [0, 3600])
def test_an_alert_has_links_where_the_workload_wants_them(seconds: int) -> None:
    plan = make_plan()
    fakes = AlertFakes(replace(plan, alerts=replace(plan.alerts, link_seconds=seconds)))
    publish(make_notice(severity=95.0), BEGIN, fakes.effects)
    [alert] = fakes.topic.alerts
    links = delivered(alert.messages["sqs"]).links
    assert (links is not None) == bool(seconds) == ("Answer it by a link" in alert.messages["email"])
    if links is not None:
        token = dict(parse_qsl(urlsplit(links.urls["noise"]).query))["t"]
        answer = answer_of(token, fakes.effects.link_keys.accepted(), BEGIN)
        assert (answer.verb, answer.routes) == ("noise", ("operations", "oncall"))
        assert answer.until == int(BEGIN.timestamp()) + seconds


@pytest.fixture
def world(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    world = World(aws.bus)
    world.plans[AIR] = replace(AIR_PLAN, alerts=replace(AIR_PLAN.alerts, link_seconds=3600))
    monkeypatch.setattr(asking, "effects", lambda: world.effects)
    return world


def newest(world: World) -> Incident:
    return world.incidents()[-1]


def link(world: World, verb: Verb, key: bytes = KEY, **changes: object) -> str:
    answer = Answer(AIR, newest(world).incident_id, verb, ("operators",), int(NOW.timestamp()) + 3600)
    return f"/watch/answers?t={token_of(replace(answer, **changes), key)}"  # type: ignore[arg-type]


def visit(world: World, path: str) -> HttpAnswer:
    """Look at a page as a browser without a token does."""
    answer = world.call("GET", path, role=None, tenant="nobody")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text
    return answer


def press(world: World, path: str) -> HttpAnswer:
    """Press the one button of the page at an address."""
    [action] = re.findall('<form method="post" action="([^"]+)"><button>', visit(world, path).text)
    return post(world, "/watch/answers" + action.replace("&amp;", "&"))


def post(world: World, path: str) -> HttpAnswer:
    form = {"content_type": "application/x-www-form-urlencoded"}
    return world.call("POST", path, "", role=None, tenant="nobody", **form)


@pytest.mark.parametrize("verb", ["real", "expected", "noise"])
def test_a_look_changes_nothing_the_button_answers_and_again_changes_nothing(
    world: World, verb: Verb
) -> None:
    path = link(world, verb)
    before = newest(world)
    for _ in range(3):
        assert visit(world, path).status == 200
    assert newest(world) == before
    told = press(world, path)
    assert (told.status, told.headers["Location"]) == (303, f"?{path.partition('?')[2]}")
    after = newest(world)
    assert (after.feedback, after.timeline[-1].who) == (verb, "by link (route operators)")
    assert world.effects.incidents.verdicts(AIR)[0].what == verb
    post(world, path)
    assert newest(world) == after


def test_an_answer_is_taken_back_on_its_page(world: World) -> None:
    path = link(world, "noise")
    press(world, path)
    assert "Take it back" in visit(world, path).text
    press(world, path)
    after = newest(world)
    assert (after.feedback, after.timeline[-1].note) == (None, TAKEN_BACK)
    assert world.effects.incidents.verdicts(AIR) == []
    assert "Nothing happened</button>" in visit(world, path).text


def test_looking_after_it_is_said_and_taken_back(world: World) -> None:
    path = link(world, "acknowledge")
    press(world, path)
    assert newest(world).state == "acknowledged"
    assert [entry.who for entry in newest(world).timeline if entry.what == "acknowledged"] == [
        "by link (route operators)"
    ]
    press(world, path)
    assert newest(world).state == "open"


def test_what_somebody_else_said_is_not_taken_back_and_not_shown_with_a_name(world: World) -> None:
    path = link(world, "noise")
    press(world, path)
    feedback = f"/watch/incidents/{newest(world).incident_id}/feedback"
    assert world.call("POST", feedback, {"verdict": "real"}).status == 200
    assert post(world, path + "&undo=1").status == 409
    assert newest(world).feedback == "real"
    page = visit(world, path).text
    assert "Somebody has said something else" in page
    assert "mia@example.com" not in page
    assert "Somebody has said it already" in visit(world, link(world, "real")).text


def test_an_incident_that_is_over_is_judged_and_not_looked_after(world: World) -> None:
    over = world.incidents()[0]
    assert over.state == "closed"
    assert "It is over" in visit(world, link(world, "acknowledge", incident_id=over.incident_id)).text
    assert post(world, link(world, "acknowledge", incident_id=over.incident_id)).status == 422
    press(world, link(world, "real", incident_id=over.incident_id))
    assert world.incidents()[0].feedback == "real"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_is_wrong_changes_nothing(world: World, method: str) -> None:
    before = world.incidents()
    refused = {
        "/watch/answers": 403,
        "/watch/answers?t=": 403,
        link(world, "real") + "A": 403,
        link(world, "real", OTHER): 403,
        link(world, "real", until=int(NOW.timestamp())): 410,
        link(world, "real", incident_id="0" * 16): 404,
        link(world, "real", workload="card_fraud"): 403,
        link(world, "real", workload="gone"): 403,
    }
    for path, status in refused.items():
        answer = world.call(method, path, role=None, tenant="nobody")
        assert answer.status == status, path
        assert "Nothing was changed" in answer.text
        assert answer.headers["Content-Type"].startswith("text/html")
    assert world.incidents() == before


def test_links_answer_no_more_where_the_workload_has_none(world: World) -> None:
    path = link(world, "real")
    world.plans[AIR] = AIR_PLAN
    assert visit(world, path).status == 403


def test_a_link_of_another_workload_does_not_reach_an_incident(world: World) -> None:
    other = replace(AIR_PLAN, workload="water_flow", alerts=replace(AIR_PLAN.alerts, link_seconds=60))
    world.plans["water_flow"] = other
    assert visit(world, link(world, "real", workload="water_flow")).status == 404


def test_what_a_title_says_is_text(world: World) -> None:
    incident = replace(newest(world), title="<b>no2</b> high")
    answer = Answer(AIR, incident.incident_id, "real", ("operators",), 0)
    assert "&lt;b&gt;no2&lt;/b&gt; high" in page_of(answer, incident, "t.t")
