"""The demo: a repeatable, valid and plausible world; its webhooks verify; its folder is the only thing it removes."""

import json
import signal
import subprocess
import sys
import threading
import time
import webbrowser
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from itertools import islice, takewhile
from statistics import median
from types import SimpleNamespace

import msgspec
import pytest

from tickertape import events
from tickertape.connectors import HookRequest, InvalidSignature, Source, by_name
from tickertape.demo import company, folder, people, post, rota, simulate, texts, twilio_traffic
from tickertape.demo import server as server_module
from tickertape.demo.company import DAY, HOUR
from tickertape.demo.folder import DemoError
from tickertape.settings import Settings

# The package's `run` is the function; its module has the same name.
run = import_module("tickertape.demo.run")

END = 1_795_281_600_000  # 2026-11-21T17:20:00Z, a Saturday
START = END - 30 * DAY
SECONDS = 1000


@pytest.fixture(scope="module")
def history() -> list[dict]:
    return list(simulate.history(1, START, END))


def of_type(told: list[dict], kind: str) -> list[dict]:
    return [each for each in told if each["type"] == kind]


def ms(told: dict) -> int:
    return round(datetime.fromisoformat(told["at"]).timestamp() * 1000)


# The same again


def test_the_same_seed_tells_the_same_history():
    start = END - 6 * DAY
    assert list(simulate.history(1, start, END)) == list(simulate.history(1, start, END))


def test_another_seed_tells_another_history(history):
    other = list(islice(simulate.history(2, START, END), 2_000))
    assert other != history[:2_000]


def test_a_history_is_told_in_order_and_within_its_time(history):
    moments = [ms(each) for each in history]
    assert moments == sorted(moments)
    assert moments[0] >= START and moments[-1] < END
    assert END - moments[-1] < HOUR


def test_ids_are_unique(history):
    assert len({each["id"] for each in history}) == len(history)


def test_what_is_missing_is_exactly_the_rest_of_the_same_history():
    start, gap = END - 6 * DAY, END - 2 * DAY
    whole = list(simulate.history(1, start, END))
    assert list(simulate.history(1, start, END, gap)) == [each for each in whole if ms(each) >= gap]


def test_live_traffic_goes_on_with_the_open_stories_and_repeats_nothing():
    origin = END - 2 * DAY
    history = list(simulate.history(1, origin, END))
    live = [each for _, each in takewhile(lambda due: due[0] < END + HOUR, simulate.live(1, END, origin))]
    told = {each["id"] for each in history}
    assert not told & {each["id"] for each in live}
    begun = {each["conversation_id"] for each in of_type(history, "conversation.opened")}
    assert any(each.get("conversation_id") in begun for each in live)


def test_a_later_start_goes_on_with_the_live_stories_of_the_earlier_one():
    origin, stopped, back = END - DAY, END + HOUR // 2, END + 2 * HOUR
    alone = {each["id"] for each in simulate.history(1, origin, back, stopped)}
    both = list(simulate.history(1, origin, back, stopped, [(END, stopped)]))
    added = [each for each in both if each["id"] not in alone]
    assert len(both) == len(alone) + len(added)
    unstopped = {each["id"]: each for _, each in takewhile(lambda due: due[0] < back, simulate.live(1, END, origin))}
    assert added and all(unstopped[each["id"]] == each for each in added)


def test_live_traffic_is_several_events_a_second_and_due_when_it_happens():
    live = list(takewhile(lambda due: due[0] < END + 600 * SECONDS, simulate.live(1, END, START)))
    hooks = list(takewhile(lambda due: due[0] < END + 600 * SECONDS, simulate.live_twilio(1, END, START)))
    assert 3 <= (len(live) + len(hooks)) / 600 <= 8
    assert all(due == ms(each) for due, each in live)
    assert [due for due, _ in live] == sorted(due for due, _ in live)


# Valid events


def decoded(told: dict) -> events.Event:
    return events.normalise(events.decode(msgspec.json.encode(told)), END + 2 * HOUR)


def test_every_event_of_the_history_is_valid(history):
    for each in history:
        decoded(each)


def test_every_event_of_live_traffic_is_valid():
    for _, each in islice(simulate.live(3, END), 8_000):
        decoded(each)


def test_every_address_is_fictional(history):
    for address in {each["address"] for each in history if "address" in each}:
        assert address.endswith(("@example.com", "@example.org")) or address.startswith(
            tuple(prefix for country in company.COUNTRIES for prefix in country.phones)
        )


def test_no_two_customers_share_an_address():
    everybody = people.customers(1)
    assert len({person.phone for person in everybody}) == len({person.email for person in everybody}) == len(everybody)
    assert not {person.phone for person in everybody} & set(company.SENDERS.values())


def test_settings_are_valid():
    rates = [{"date": "2026-10-22", "from": "EUR", "to": "USD", "rate": company.EURO_RATE}]
    msgspec.convert(company.SETTINGS | {"exchange_rates": rates}, Settings)


# A plausible company


def test_the_volume_fits_the_time_there_is_to_write_it(history):
    assert 60_000 <= len(history) <= 95_000


def test_every_type_of_story_is_told(history):
    told = Counter(each["type"] for each in history)
    silent = {"message.queued", "message.deferred", "message.billed"}
    assert set(events.EVENT_TYPES) - set(told) == silent


def test_delivery_is_good_but_for_the_filtering_carrier(history):
    sent = {each["message_id"]: each for each in of_type(history, "message.sent")}
    delivered = {each["message_id"] for each in of_type(history, "message.delivered")}
    assert delivered <= set(sent)
    assert 0.95 <= len(delivered) / len(sent) <= 0.985
    incident = company.INCIDENTS[-1]
    hit = [
        key
        for key, each in sent.items()
        if each["channel"] == "sms"
        and each.get("carrier") == incident.carrier
        and ms(each) >= START + incident.begins_ms
    ]
    assert len(hit) >= 100
    assert sum(key in delivered for key in hit) / len(hit) < 0.6


def test_click_rates_are_usual_ones(history):
    sms = {
        each["message_id"]
        for each in of_type(history, "message.sent")
        if each["channel"] == "sms" and each["author"] == "campaign"
    }
    people_only = {
        each["message_id"]
        for each in of_type(history, "message.clicked")
        if each["user_agent"] not in company.LINK_PREVIEW_AGENTS
    }
    assert 0.07 <= len(sms & people_only) / len(sms) <= 0.12


def test_machines_open_and_click_too(history):
    assert any(each.get("user_agent") == company.APPLE_PROXY_AGENT for each in of_type(history, "message.read"))
    bursts = defaultdict(list)
    for each in of_type(history, "message.clicked"):
        bursts[each["message_id"], each["ip"]].append(each)
    scanned = [burst for burst in bursts.values() if len({each["link_id"] for each in burst}) >= 3]
    assert len(scanned) > 20
    assert sum(ms(burst[-1]) - ms(burst[0]) <= 10 * SECONDS for burst in scanned) > 20


def test_first_answers_take_a_few_minutes(history):
    asked: dict[str, int] = {}
    answered: dict[str, int] = {}
    for each in history:
        thread = each.get("conversation_id")
        if thread is None:
            continue
        if each["type"] == "conversation.handed_off" or (each["type"] == "message.received" and thread not in asked):
            asked[thread] = ms(each)
        if each["type"] == "message.sent" and each["author"] == "agent":
            answered.setdefault(thread, ms(each) - asked[thread])
    assert 180 * SECONDS <= median(answered.values()) <= 330 * SECONDS


def test_customers_are_heard_in_four_languages(history):
    heard = " ".join(each.get("text", "") for each in of_type(history, "message.received"))
    for words in ("Where is", "dónde está", "où en est", "wo bleibt"):
        assert words in heard
    assert len({each.get("text") for each in of_type(history, "message.received")}) > 500


def test_agents_answer_on_shift_in_their_own_time_zone():
    maya = next(agent for agent in company.AGENTS if agent.id == "agent-maya")
    rafa = next(agent for agent in company.AGENTS if agent.id == "agent-rafa")

    def at(text: str) -> int:
        return int(datetime.fromisoformat(text).timestamp() * 1000)

    assert maya in rota.at_work(at("2026-11-20T08:00:00-05:00"))
    assert maya not in rota.at_work(at("2026-11-20T16:00:00-05:00"))
    assert maya not in rota.at_work(at("2026-11-21T10:00:00-05:00"))
    assert rafa in rota.at_work(at("2026-11-20T23:00:00+08:00"))
    assert rafa in rota.at_work(at("2026-11-23T05:59:00+08:00"))  # Monday morning ends Sunday's night shift
    assert rafa not in rota.at_work(at("2026-11-20T05:00:00+08:00"))


def test_nobody_gets_marketing_after_opting_out_of_a_planned_campaign(history):
    gone: dict[str, int] = {}
    sends = []
    for each in history:
        if each["type"] == "contact.opted_out" and each["channel"] != "push":
            gone.setdefault(each["contact_id"], ms(each))
        if each["type"] == "message.sent" and each.get("purpose") == "marketing":
            sends.append((each["contact_id"], ms(each)))
    late = [contact for contact, at in sends if contact in gone and at > gone[contact] + 300 * SECONDS]
    assert len(gone) > 40
    assert len(late) <= len(sends) * 0.002


def test_the_control_group_gets_no_message_of_its_campaign(history):
    assigned = of_type(history, "experiment.assigned")
    control = {each["contact_id"] for each in assigned if each["arm"] == "control"}
    assert 0.07 <= len(control) / len(assigned) <= 0.13
    reached = {
        each["contact_id"]
        for each in of_type(history, "message.sent")
        if each.get("campaign_id") == company.EXPERIMENT.campaign.slug
    }
    assert reached and not reached & control


def test_refunds_follow_their_orders_in_two_currencies(history):
    orders = {each["conversion_id"]: each for each in of_type(history, "conversion.recorded")}
    assert {each["currency"] for each in orders.values()} == {"USD", "EUR"}
    for refund in of_type(history, "conversion.refunded"):
        order = orders[refund["conversion_id"]]
        assert ms(refund) > ms(order) and refund.get("value", 0) <= order["value"]


def test_every_text_can_be_filled_in():
    spoken_of = dict.fromkeys(("product", "order", "city", "day", "name", "code", "link"), "x")

    def every(table: object) -> Iterator[str]:
        if isinstance(table, str):
            yield table
        elif isinstance(table, dict):
            yield from (text for value in table.values() for text in every(value))
        elif isinstance(table, tuple):
            yield from (text for value in table for text in every(value))

    tables = [getattr(texts, name) for name in dir(texts) if name.isupper()]
    found = [text.format(**spoken_of) for table in tables for text in every(table)]
    assert len(found) > 200


# The Twilio hook

URL = "http://127.0.0.1:8723"
TOKEN = "0123456789abcdef"  # noqa: S105


def request(callback: twilio_traffic.Callback) -> HookRequest:
    made = twilio_traffic.signed(callback, URL, "twilio-demo", TOKEN)
    return HookRequest(method="POST", url=URL + made.target, headers=made.headers, body=made.body, received_at=END)


def test_webhooks_verify_and_mean_what_was_simulated():
    twilio, source = by_name("twilio"), Source(name="twilio-demo", secrets=[TOKEN])
    seen = Counter()
    for _, callback in islice(twilio_traffic.live(1, END), 1_500):
        call = request(callback)
        twilio.verify(call, source)
        for told in twilio.events(call, source):
            assert isinstance(told, events.Event)
            seen[told.__struct_config__.tag, told.channel] += 1
            if isinstance(told, events.MessageFailed):
                assert told.error_code is not None
    assert {kind for kind, _ in seen} >= {
        "message.sent",
        "message.delivered",
        "message.failed",
        "message.read",
        "message.received",
    }
    assert {channel for _, channel in seen} == {"sms", "whatsapp"}


def test_a_webhook_signed_with_another_token_is_refused():
    _, callback = next(twilio_traffic.live(1, END))
    with pytest.raises(InvalidSignature):
        by_name("twilio").verify(request(callback), Source(name="twilio-demo", secrets=["another"]))


def test_agents_and_purposes_travel_in_the_address():
    sent = [
        told
        for _, callback in islice(twilio_traffic.live(1, END), 600)
        for told in by_name("twilio").events(request(callback), Source(name="t", secrets=[TOKEN]))
        if isinstance(told, events.MessageSent)
    ]
    assert {told.author for told in sent} == {"agent", "system"}
    assert all(told.agent_id for told in sent if told.author == "agent")
    assert "authentication" in {told.purpose for told in sent}


# Posting


class FakeServer:
    """Keeps what is posted; answers the first requests with the given statuses, else as a server that accepts all."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[list[dict]] = []
        self.calls: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer = lambda batch: {"accepted": len(batch), "duplicates": 0, "rejected": []}
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with lock:
                    status = outer.statuses.pop(0) if outer.statuses else 200
                    said = {}
                    if status == 200:
                        headers = {name.lower(): value for name, value in self.headers.items()}
                        outer.calls.append((self.command, self.path, headers, body))
                    if status == 200 and self.path == "/v1/events":
                        outer.bodies.append([json.loads(line) for line in body.splitlines()])
                        said = outer.answer(outer.bodies[-1])
                    if status == 200 and self.path == "/v1/login-links":
                        said = {"url": outer.url + "/login?once"}
                answer = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("retry-after", "0")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_PUT = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> "FakeServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_history_is_posted_in_batches_and_acknowledged_in_order(history):
    with FakeServer() as server:
        told = history[: post.BATCH * 4 + 10]
        acknowledged = list(post.post_history(server.url, "secret", told))
        assert [last for last, _ in acknowledged] == [*told[post.BATCH - 1 :: post.BATCH], told[-1]]
        assert sum(new for _, new in acknowledged) == len(told)
        assert sorted(each["id"] for batch in server.bodies for each in batch) == sorted(each["id"] for each in told)
        assert {headers["authorization"] for _, _, headers, _ in server.calls} == {"Bearer secret"}


def test_a_busy_server_is_waited_for(history):
    with FakeServer(503, 503, 503) as server:
        assert sum(new for _, new in post.post_history(server.url, "secret", history[:20])) == 20
        assert len(server.bodies) == 1


def test_a_rejected_event_is_named(history):
    with FakeServer() as server:
        problem = {"index": 1, "error": {"code": "x", "field": "channel", "message": "channel is not known."}}
        server.answer = lambda batch: {"accepted": len(batch) - 1, "duplicates": 0, "rejected": [problem]}
        with pytest.raises(DemoError, match="channel is not known"):
            list(post.post_history(server.url, "secret", history[:20]))


# From start to stop


class Stopper:
    """Stands in for time.sleep: presses Ctrl-C after so many pauses."""

    def __init__(self, pauses: int) -> None:
        self.pauses = pauses

    def __call__(self, seconds: float) -> None:
        self.pauses -= 1
        if self.pauses < 0:
            raise KeyboardInterrupt
        threading.Event().wait(seconds)


def test_a_demo_tells_its_history_then_goes_on_live_and_takes_up_again_where_it_stopped(tmp_path, monkeypatch, capsys):
    config = SimpleNamespace(data=tmp_path, host="127.0.0.1", port=1)
    monkeypatch.setattr(run, "HISTORY_MS", 8 * HOUR)
    monkeypatch.setattr(webbrowser, "open", lambda address: pytest.fail("--no-browser opened a browser"))
    with FakeServer() as server:

        @contextmanager
        def served(*_: object) -> Iterator[SimpleNamespace]:
            yield SimpleNamespace(url=server.url, token="process")  # noqa: S106

        monkeypatch.setattr(run, "served", served)
        monkeypatch.setattr(run.time, "sleep", Stopper(12))
        run.run(config, browser=False)
        assert capsys.readouterr().out == f"Open {server.url}/login?once\n"
        home = tmp_path / folder.NAME
        state = folder.load(home)
        told = [each for batch in server.bodies for each in batch]
        assert max(map(ms, told)) < state.told_until_ms <= time.time() * 1000
        assert [span for span in state.watched if span[1] > span[0]]
        settings = next(call for call in server.calls if call[:2] == ("PUT", "/v1/settings"))
        assert json.loads(settings[3])["exchange_rates"]
        added = json.loads(next(call for call in server.calls if call[1] == "/v1/sources")[3])
        assert (added["connector"], added["secrets"]) == ("twilio", {"auth_token": state.hook_token})
        events_key = {call[2]["authorization"] for call in server.calls if call[1] == "/v1/events"}
        assert len(events_key) == 1 and "Bearer tt_ingest_" in events_key.pop()

        before = {each["id"] for each in told}
        server.bodies.clear()
        monkeypatch.setattr(run.time, "sleep", Stopper(3))
        run.run(config, browser=False)
        again = [each for batch in server.bodies for each in batch]
        assert all(ms(each) >= state.told_until_ms for each in again)
        assert not before & {each["id"] for each in again}
        with pytest.raises(DemoError, match="seed 1"):
            run.run(config, seed=2, browser=False)
        run.remove(config)
        assert not home.exists()


def test_the_server_ends_when_the_demo_is_gone():
    code = "from tickertape.demo.server import _end_with_parent; _end_with_parent()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    child.stdin.close()
    assert child.wait(30) == -signal.SIGTERM


def test_a_server_that_does_not_start_is_reported_with_what_it_said(tmp_path, monkeypatch):
    monkeypatch.setattr(server_module.sys, "executable", "/bin/false")
    folder.prepare(tmp_path)
    (tmp_path / server_module.LOG).write_text("old")
    with (
        folder.held(tmp_path) as lock,
        pytest.raises(DemoError, match="did not start"),
        server_module.served(tmp_path, "127.0.0.1", 1, lock),
    ):
        pass


# The folder


def test_a_prepared_folder_is_marked_and_removed_as_a_whole(tmp_path):
    home = tmp_path / folder.NAME
    folder.prepare(home)
    assert folder.is_sample(home)
    (home / "store").mkdir()
    (home / "store" / "part.bin").write_bytes(b"x")
    (home / "control.db").write_bytes(b"x")
    assert folder.remove(tmp_path) == home
    assert not home.exists() and tmp_path.exists()
    assert folder.remove(tmp_path) is None


@pytest.mark.parametrize("marker", [None, "{}", '{"sample": false}', '{"sample": 1}', "not json", "[]"])
def test_a_folder_without_the_marker_is_neither_used_nor_removed(tmp_path, marker):
    home = tmp_path / folder.NAME
    home.mkdir()
    (home / "events.bin").write_bytes(b"real")
    if marker is not None:
        (home / folder.MARKER).write_text(marker)
    with pytest.raises(DemoError, match="not marked"):
        folder.remove(tmp_path)
    with pytest.raises(DemoError, match="not sample data"):
        folder.prepare(home)
    assert (home / "events.bin").read_bytes() == b"real"


def test_a_link_is_not_followed(tmp_path):
    real = tmp_path / "real"
    folder.prepare(real)
    (tmp_path / folder.NAME).symlink_to(real)
    with pytest.raises(DemoError, match="link"):
        folder.remove(tmp_path)
    assert folder.is_sample(real)


def test_links_inside_are_removed_and_not_followed(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    (real / "kept").write_bytes(b"x")
    home = tmp_path / folder.NAME
    folder.prepare(home)
    (home / "store").symlink_to(real)
    folder.remove(tmp_path)
    assert (real / "kept").exists()


def test_a_running_demo_is_neither_started_twice_nor_removed(tmp_path):
    home = tmp_path / folder.NAME
    folder.prepare(home)
    with folder.held(home):
        with pytest.raises(DemoError, match="is running"):
            folder.remove(tmp_path)
        with pytest.raises(DemoError, match="is running"), folder.held(home):
            pass
    assert folder.remove(tmp_path) == home


def test_the_state_survives_and_a_broken_one_is_explained(tmp_path):
    state = folder.State(seed=1, origin_ms=START, told_until_ms=END, watched=[(1, 2)], hook_token="x")  # noqa: S106
    folder.save(tmp_path, state)
    assert folder.load(tmp_path) == state
    (tmp_path / folder.STATE).write_text("{")
    with pytest.raises(DemoError, match="cannot be read") as caught:
        folder.load(tmp_path)
    assert "--remove" in (caught.value.hint or "")
