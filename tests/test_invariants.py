"""Numbers do not depend on the order, the timing or the repetition of events, nor on restarts and rebuilds.

Each example is a small stream of colliding events: ties in time, retries, merges, reopens, links between addresses and
contacts, opt-outs, refunds, one id with two contents. It is played once in order of time, as one batch, and once more
as it may really arrive; every answer must be the same.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tickertape.api import documents
from tickertape.api.service import Service
from tickertape.metrics import describe
from tickertape.metrics.money import rates_of
from workspace import workspace

Event = dict[str, Any]

_COMMON: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("ci", max_examples=25, derandomize=True, **_COMMON)
settings.register_profile("deep", max_examples=1000, **_COMMON)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
GRID = (0, 1, 10, 60, 61, 300, 1500, 1501, 2000, 4320, 11520, 11521, 14400)
"""Minutes: inside and outside of every window that the settings know."""
MIDDLE = START + timedelta(minutes=1501)
END = START + timedelta(days=20)


def moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


# --- streams ---

NUMBERS = ("+14155550101", "+14155550102")
PEOPLE: tuple[Event, ...] = (
    {"contact_id": "ann"},
    {"contact_id": "bob"},
    {"address": NUMBERS[0]},
    {"address": NUMBERS[1]},
    {"contact_id": "ann", "address": NUMBERS[0]},
    {"contact_id": "bob", "address": NUMBERS[0]},
    {"contact_id": "bob", "address": NUMBERS[1]},
)
OUT, IN = ("m1", "m2", "m3"), ("i1", "i2", "i3")
CONVERSATIONS = ("k1", "k2", "k3")


def _of(**fields: Any) -> st.SearchStrategy[Event]:
    """Fields from their possible values; None leaves one out, `who` is spread."""
    drawn = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in fields.items()})
    return drawn.map(_plain)


def _plain(drawn: Event) -> Event:
    who, minutes, twin = drawn.pop("who", {}), drawn.pop("minutes"), drawn.pop("twin", None)
    event = {name: value for name, value in drawn.items() if value is not None} | who
    event["at"] = moment(START + timedelta(minutes=minutes))
    owners = {"contact_id", "address", "message_id", "campaign_id"}
    if event["type"] == "conversion.recorded" and not owners & event.keys():
        event["contact_id"] = "ann"
    if twin:
        entity = event.get("message_id") or event.get("conversation_id")
        event["id"] = f"{event['type']}:{entity}"
    return event


_ANYWHERE = (None, *CONVERSATIONS)
_CHANNELS = ("sms", "sms", "whatsapp", "email")
_AGENTS = (None, "xe", "yo")
_TWIN = (False, False, False, True)
EVENTS = st.one_of(
    _of(
        type=["message.sent"], minutes=GRID, message_id=OUT, who=PEOPLE, channel=_CHANNELS, conversation_id=_ANYWHERE,
        agent_id=_AGENTS, campaign_id=(None, "spring", "fall"), retry_of=(None, None, *OUT), cost=(None, 0.01),
        sender=(None, "22000", "33000"), twin=_TWIN,
    ),
    _of(
        type=["message.received"], minutes=GRID, message_id=IN, who=PEOPLE, channel=_CHANNELS,
        conversation_id=_ANYWHERE, text=("hello", "STOP", "YES", "start", "please remove me"), twin=_TWIN,
        reply_to=(None, None, *OUT), auto_reply=(None, None, True), sender=(None, "22000"),
    ),
    _of(
        type=["message.delivered", "message.failed", "message.read", "message.reacted", "message.queued"],
        minutes=GRID, message_id=OUT, twin=_TWIN, channel=(None, "sms"), conversation_id=(None, None, "k1"),
        who=({}, {}, *PEOPLE),
    ),
    _of(
        type=["message.clicked"], minutes=GRID, message_id=OUT, link_id=("a", "b"), twin=_TWIN,
        user_agent=(None, "curl/8", "Mozilla/5.0 (X11) Firefox/140"),
    ),
    _of(type=["message.billed"], minutes=GRID, message_id=OUT, cost=(0.02, 0.03), twin=_TWIN),
    _of(
        type=["conversation.resolved", "conversation.reopened", "conversation.opened", "conversation.queued",
              "conversation.handed_off", "conversation.snoozed", "conversation.unsnoozed", "conversation.noted"],
        minutes=GRID, conversation_id=CONVERSATIONS, agent_id=_AGENTS, team_id=(None, "t1", "t2"), twin=_TWIN,
    ),
    _of(type=["conversation.assigned"], minutes=GRID, conversation_id=CONVERSATIONS, agent_id=_AGENTS,
        team_id=(None, "t1"), twin=_TWIN),
    _of(type=["conversation.tagged"], minutes=GRID, conversation_id=CONVERSATIONS, topic=("billing", "praise")),
    _of(type=["conversation.merged"], minutes=GRID, conversation_id=CONVERSATIONS, into=CONVERSATIONS),
    _of(type=["survey.sent"], minutes=GRID, survey_id=["s1"], conversation_id=["k1"], kind=["csat"]),
    _of(type=["survey.answered"], minutes=GRID, survey_id=["s1"], conversation_id=["k1"], kind=["csat"],
        score=(1, 4, 5)),
    _of(type=["survey.answered"], minutes=GRID, survey_id=["s2"], contact_id=["bob"], kind=["csat"], score=(1, 4)),
    _of(type=["agent.status"], minutes=GRID, agent_id=("xe", "yo"), status=("online", "away", "offline")),
    _of(type=["contact.updated"], minutes=GRID, contact_id=("ann", "bob"), addresses=([NUMBERS[0]], [*NUMBERS], [])),
    _of(type=["contact.opted_in", "contact.opted_out", "contact.prompted", "contact.complained"], minutes=GRID,
        who=PEOPLE, channel=(None, "sms", "email"), message_id=(None, None, *OUT)),
    _of(type=["conversion.recorded"], minutes=GRID, conversion_id=["o1"], who=[{"contact_id": "ann"}],
        message_id=(None, *OUT), campaign_id=("spring", None), value=(10.0, 20.0)),
    _of(type=["conversion.recorded"], minutes=GRID, conversion_id=["o2"], who=[{"address": NUMBERS[1]}], value=(5.0,)),
    _of(type=["conversion.refunded"], minutes=GRID, conversion_id=("o1", "o2"), refund_id=(None, "r1", "r2"),
        value=(None, 3.0, 15.0)),
)  # fmt: skip
STREAMS = st.lists(EVENTS, min_size=2, max_size=14)


# --- what is asked ---

_BY = (
    ((), None, END), ((), None, MIDDLE), ((), "day", END), ((), "day", MIDDLE), (("channel",), None, END),
    (("agent",), None, END), (("agent",), None, MIDDLE), (("campaign",), None, END), (("campaign",), None, MIDDLE),
    (("team",), None, END), (("hour_of_day",), None, END), (("engagement_tier",), None, END), (("link",), None, END),
)  # fmt: skip
_FILTERS = ({"contact": "ann"}, {"contact": "bob,+14155550101"}, {"conversation": "k1"}, {"campaign": "spring"})


def questions() -> Iterator[dict[str, str]]:
    catalogue = describe()["metrics"]
    span = {"from": "2026-03-01", "to": "2026-04-01"}
    for by, interval, now in _BY:
        names = [m["name"] for m in catalogue if set(by) <= set(m["dimensions"]) and m["name"] != "opt_outs"]
        asked = {**span, "metrics": ",".join(names), "now": moment(now)}
        yield asked | ({"by": ",".join(by)} if by else {}) | ({"interval": interval} if interval else {})
    for filter_ in _FILTERS:
        names = [
            m["name"]
            for m in catalogue
            if set(filter_) <= set(m["dimensions"]) and m["name"] not in ("opt_outs", "cost")
        ]
        if "campaign" in filter_:
            names.append("opt_outs")
        yield {**span, **filter_, "metrics": ",".join(names), "now": moment(END)}


QUESTIONS = tuple(questions())
FACTS = ("messages", "episodes", "surveys", "agent_days", "conversions", "contact_links")


class Tape:
    """One workspace's parts without HTTP, which can be wiped, stopped, started and rebuilt quickly."""

    def __init__(self, service: Service) -> None:
        self._store, self._control, self._data = service.store, service.control, service.data
        service.stop()
        self.now = END
        self.service: Service | None = None

    def wipe(self) -> None:
        self.stop()
        for table in (*FACTS, "events", "rejects", "watermarks"):
            self._store.command(f"TRUNCATE TABLE {table} SYNC")
        self.start()

    def start(self) -> None:
        self.service = Service(self._store, self._control, self._data, clock=lambda: ms(self.now))
        self.service.start()

    def stop(self) -> None:
        if self.service is not None:
            self.service.stop()
            self.service = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def post(self, events: Sequence[Event]) -> None:
        assert self.service is not None
        body = msgspec.json.encode(list(events))
        outcome = asyncio.run(self.service.ingest.take_events(body, "application/json", None))
        assert not outcome.rejected, outcome.document()

    def settle(self) -> None:
        assert self.service is not None
        service = self.service
        _wait(lambda: service.settled and service.deriver._next_expiry >= ms(self.now))

    def rebuild(self) -> None:
        assert self.service is not None
        progress = self.service.deriver.rebuild(self.service.settings)
        _wait(lambda: progress.finished)
        assert not progress.error

    def facts(self) -> dict[str, Any]:
        """Every row that the figures are worked out from."""
        found = {}
        for table in FACTS:
            sql = f"SELECT * EXCEPT (version, deleted) FROM {table} FINAL ORDER BY ALL"  # noqa: S608
            rows = self._store.table(sql).to_pylist()
            found[table] = [{name: str(value) for name, value in row.items()} for row in rows]
        return found

    def answers(self, questions: Sequence[dict[str, str]], shown: Sequence[str]) -> dict[str, Any]:
        """The facts, the answers to some questions and the documents of what is shown, as plain values."""
        self.settle()
        service = self.service
        assert service is not None
        found: dict[str, Any] = self.facts()
        for asked in questions:
            name = " ".join(f"{k}={v}" for k, v in asked.items() if k != "metrics")
            found[name] = service.answer(service.parse(asked))["rows"]
        for now in (END, MIDDLE):
            for name in {*shown} & {*CONVERSATIONS}:
                thread = service.asof.thread(name, None, ms(now), ms(now))
                found[f"{name} at {now}"] = thread and documents.conversation_document(thread, ms(now))
        for name in {*shown} & {*OUT, *IN}:
            telling = service.asof.message(name, None, ms(END), ms(END))
            found[name] = telling and documents.message_document(telling, ms(END), rates_of(service.settings))
        return msgspec.json.decode(msgspec.json.encode(found))  # type: ignore[no-any-return]


def _wait(holds: Any) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "the facts do not follow the log"
        time.sleep(0.002)


@pytest.fixture(scope="module")
def tape() -> Iterator[Tape]:
    with workspace() as opened:
        tape = Tape(opened.service)
        yield tape
        tape.stop()


def in_order(events: Sequence[Event]) -> list[Event]:
    return sorted(events, key=lambda e: e["at"])


def play(tape: Tape, batches: Sequence[Sequence[Event]], after: dict[int, str]) -> None:
    """Posts the batches; `after` names what happens behind one: a restart, a rebuild, nothing but settling."""
    tape.wipe()
    for i, batch in enumerate(batches):
        if batch:
            tape.post(batch)
        match after.get(i):
            case "restart":
                tape.restart()
            case "rebuild":
                tape.rebuild()
            case "settle":
                tape.settle()


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from differences(one.get(name), other.get(name), f"{path}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from differences(a, b, f"{path}/{i}")
    elif one != other and not _close(one, other):
        yield f"{path}: {one!r} | {other!r}"


def _close(one: Any, other: Any) -> bool:
    """Sums of floats depend on their order in the last bits."""
    return isinstance(one, float) and isinstance(other, float) and abs(one - other) <= 1e-9 * max(1, abs(one))


def same(
    tape: Tape,
    batches: Sequence[Sequence[Event]],
    after: dict[int, str],
    questions: Sequence[dict[str, str]] = QUESTIONS[1:2],
) -> None:
    """Whether these batches answer as the same events do, in order of time and in one batch.

    A figure is a function of the facts and the clock, so that comparing the facts, which is quick, stands for most
    questions; those about a clock in the middle of the stream fold again.
    """
    every = [e for batch in batches for e in batch]
    shown = sorted({str(e[k]) for e in every for k in ("message_id", "conversation_id", "into") if k in e})
    play(tape, [in_order(every)], {})
    expected = tape.answers(questions, shown)
    play(tape, batches, after)
    found = sorted(differences(expected, tape.answers(questions, shown)))
    assert not found, "\n".join(found[:40])


def arrivals(events: Sequence[Event], seed: int) -> tuple[list[list[Event]], dict[int, str]]:
    """One way in which a stream may arrive: shuffled, cut into batches, some of it again, with breaks between."""
    chance = random.Random(seed)
    stream = list(events) + [e for e in events if chance.random() < 0.3]
    chance.shuffle(stream)
    batches: list[list[Event]] = []
    while stream:
        size = chance.choice((1, 1, 2, 3, 8))
        batches.append(stream[:size])
        stream = stream[size:]
    breaks = ("settle", "settle", "restart", "rebuild")
    after = {chance.randrange(len(batches)): chance.choice(breaks) for _ in range(chance.randrange(4))}
    return batches, after


@PROFILE
@given(STREAMS, st.integers(0, 2**32))
def test_any_arrival_gives_the_same_answers(tape: Tape, events: list[Event], seed: int) -> None:
    same(tape, *arrivals(events, seed))


@settings(PROFILE, max_examples=max(2, PROFILE.max_examples // 20))
@given(STREAMS, st.integers(0, 2**32))
def test_every_question_has_the_same_answer(tape: Tape, events: list[Event], seed: int) -> None:
    same(tape, *arrivals(events, seed), questions=QUESTIONS)


# --- what was found, kept ---


def at(minutes: float) -> str:
    return moment(START + timedelta(minutes=minutes))


def test_a_link_that_is_claimed_earlier_survives_a_restart(tape: Tape) -> None:
    """Only the first claim was saved: after a restart one from between the two won."""
    late = {"type": "contact.updated", "at": at(60), "contact_id": "ann", "addresses": [NUMBERS[0]]}
    between = late | {"at": at(10), "contact_id": "bob"}
    message = {"type": "message.sent", "at": at(61), "message_id": "m1", "channel": "sms", "address": NUMBERS[0]}
    same(tape, [[message, late], [late | {"at": at(0)}], [between]], {1: "restart"})


def test_the_name_of_a_conversation_that_others_were_merged_into(tape: Tape) -> None:
    """It had the name of whatever event came first."""
    merge = {"type": "conversation.merged", "at": at(1501), "conversation_id": "k3", "into": "k2"}
    answer = {"type": "survey.answered", "at": at(60), "survey_id": "s2", "conversation_id": "k2", "score": 4}
    same(tape, [[merge], [answer]], {})


def test_what_an_attempt_was_told_before_it_was_known_to_be_one(tape: Tape) -> None:
    """Its events went to the attempt that is no message any more, or to its message, by the order of a set."""
    for first in ("m1", "m2", "m3"):
        for attempt in {"m1", "m2", "m3"} - {first}:
            click = {"type": "message.clicked", "at": at(10), "message_id": attempt, "user_agent": "curl/8"}
            retry = {"type": "message.sent", "at": at(0), "message_id": attempt, "channel": "sms", "retry_of": first}
            same(tape, [[click], [retry]], {0: "settle"}, ())


def test_a_survey_that_moves_with_its_merged_conversation(tape: Tape) -> None:
    """Its row stayed in the hour where the conversation of before had it."""
    answer = {"type": "survey.answered", "survey_id": "s1", "conversation_id": "k1", "kind": "csat", "score": 5}
    merge = {"type": "conversation.merged", "at": at(0), "conversation_id": "k1", "into": "k3"}
    same(tape, [[answer | {"at": at(1501)}], [merge, answer | {"at": at(1)}]], {0: "restart"})


def test_a_survey_whose_answer_names_no_conversation(tape: Tape) -> None:
    inquiry = {"type": "survey.sent", "at": at(0), "survey_id": "s1", "conversation_id": "k1", "kind": "csat"}
    answer = {"type": "survey.answered", "at": at(60), "survey_id": "s1", "kind": "csat", "score": 5}
    same(tape, [[inquiry], [answer]], {0: "settle"})


def test_an_order_that_is_reported_for_two_contacts(tape: Tape) -> None:
    order = {"type": "conversion.recorded", "conversion_id": "o1", "value": 20.0}
    first, later = order | {"at": at(0), "contact_id": "ann"}, order | {"at": at(1501), "contact_id": "bob"}
    same(tape, [[later], [first]], {0: "settle"})


def test_an_order_whose_address_is_linked_before_it_is_told_earlier(tape: Tape) -> None:
    order = {"type": "conversion.recorded", "conversion_id": "o1", "value": 5.0, "address": NUMBERS[0]}
    link = {"type": "contact.updated", "at": at(10), "contact_id": "bob", "addresses": [NUMBERS[0]]}
    same(tape, [[order | {"at": at(1501)}], [link], [order | {"at": at(0)}]], {0: "settle", 1: "settle"})
