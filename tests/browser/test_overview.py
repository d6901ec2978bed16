"""The Overview page as a visitor meets it."""

import itertools
import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from sample_traffic import HOSTILE, waiting
from visitor import PHONE, WIDE, Server, Window

# Not a measurement, which bench/ makes: other tests may be keeping the machine busy.
LIVE_MS = 10_000
THEMES = ("light", "dark")
WIDTHS = {"wide": WIDE, "phone": PHONE}
HEADLINE_RATES = ("delivery_rate", "open_rate", "click_through_rate", "response_rate", "sla_attainment", "opt_out_rate")

_numbers = itertools.count()


def one_more_wait(server: Server) -> None:
    server.post([waiting(f"{time.time_ns()}-{next(_numbers)}", datetime.now(UTC))])


def value(page: Any, metric: str) -> str:
    text: str = page.inner_text(f"[data-metric={metric}] .value")
    return re.sub(r"\s+", "", text)


def percent(ratio: float) -> str:
    shown = ratio * 100
    return f"{shown:.2f}%" if 0 < shown < 2 else f"{shown:.1f}%"


def test_figures_on_tiles_are_those_of_the_api(window: Window) -> None:
    page = window.open()
    page.wait_for_selector("[data-metric=delivery_rate] .value small")
    cells = window.server.ask(metrics=",".join((*HEADLINE_RATES, "open_waits")), last="7d")["rows"][0]
    shown = {name: value(page, name) for name in HEADLINE_RATES if cells[name]["denominator"] >= 200}
    assert shown == {name: percent(cells[name]["value"]) for name in shown}
    assert "delivery_rate" in shown
    assert value(page, "open_waits") == str(cells["open_waits"]["value"])
    delivered = cells["delivery_rate"]
    context = page.inner_text("[data-metric=delivery_rate] .tile-context")
    assert context == f"{delivered['numerator']:,} of {delivered['denominator']:,}"


def test_too_small_a_sample_is_not_shown_as_a_figure(window: Window) -> None:
    page = window.open("/?channel=whatsapp")
    page.wait_for_selector("[data-metric=delivery_rate] .status.none")
    assert value(page, "delivery_rate") == "–"
    assert "of 200 needed" in page.inner_text("[data-metric=delivery_rate]")


def test_a_posted_event_changes_the_page_without_a_reload(window: Window) -> None:
    page = window.open()
    page.wait_for_selector(".live[data-state=live]")
    before = int(value(page, "open_waits"))
    one_more_wait(window.server)
    page.wait_for_function(
        "expected => document.querySelector('[data-metric=open_waits] .value').textContent === expected",
        arg=str(before + 1),
        timeout=LIVE_MS,
    )


def test_a_second_tab_shares_the_stream_of_the_first(window: Window) -> None:
    first = window.open()
    first.wait_for_selector(".live[data-state=live]")
    streams: list[str] = []
    window.context.on("request", lambda request: streams.append(request.url) if "/v1/live" in request.url else None)
    second = window.open()
    second.wait_for_selector(".live[data-state=live]")
    before = int(value(second, "open_waits"))
    one_more_wait(window.server)
    second.wait_for_function(
        "expected => document.querySelector('[data-metric=open_waits] .value').textContent === expected",
        arg=str(before + 1),
        timeout=LIVE_MS,
    )
    assert streams == []


def test_pausing_freezes_the_page(window: Window) -> None:
    page = window.open()
    page.wait_for_selector(".live[data-state=live]")
    page.click(".live")
    before = value(page, "open_waits")
    one_more_wait(window.server)
    page.wait_for_timeout(2_000)
    assert value(page, "open_waits") == before
    page.click(".live")
    page.wait_for_function(
        "before => document.querySelector('[data-metric=open_waits] .value').textContent !== before", arg=before
    )


def test_nothing_moves_while_live(window: Window) -> None:
    page = window.open()
    page.wait_for_selector(".live[data-state=live]")
    page.wait_for_selector(".by-channel")
    page.wait_for_timeout(500)
    page.evaluate("window.shifts.length = 0")
    for _ in range(12):
        one_more_wait(window.server)
        page.wait_for_timeout(500)
    assert page.evaluate("window.shifts") == []


def test_every_choice_is_in_the_address_and_back_undoes_it(window: Window) -> None:
    page = window.open()
    start = page.url
    page.click("[data-name=range] [data-id='28d']")
    page.click("[data-name=channel] [data-id=sms]")
    page.click(".switch")
    assert page.url.endswith("/?range=28d&compare=off&channel=sms")
    assert page.locator(".tile .delta").count() == 0
    for _ in range(3):
        page.go_back()
    assert page.url == start
    assert page.get_attribute("[data-name=range] [data-id='7d']", "aria-pressed") == "true"
    assert page.get_attribute("[data-name=channel] [data-id=all]", "aria-pressed") == "true"


def test_a_range_that_has_ended_is_not_live(window: Window) -> None:
    page = window.open("/?range=custom&from=2026-01-01&to=2026-01-31")
    assert page.get_attribute(".live", "data-state") == "ended"
    page.fill("input[name=from]", "2026-01-05")
    page.click("text=Apply")
    assert "from=2026-01-05&to=2026-01-31" in page.url


def test_a_walk_by_keyboard(window: Window) -> None:
    page = window.open()
    page.wait_for_selector("[data-metric=delivery_rate] .value small")
    focused = "document.activeElement.getAttribute('data-id') ?? document.activeElement.classList[0]"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "skip"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "7d"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "28d"
    page.keyboard.press("Enter")
    assert "range=28d" in page.url
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "switch"

    page.focus("[data-metric=delivery_rate]")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] .breakdown")
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.focus("dialog .chart")
    page.keyboard.press("End")
    assert page.inner_text("[aria-live=polite]").startswith(page.inner_text("dialog .tip b"))
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    assert page.evaluate("document.activeElement.dataset.metric") == "delivery_rate"
    assert "metric=" not in page.url


def test_each_chart_has_a_table_with_the_same_figures(window: Window) -> None:
    page = window.open()
    page.wait_for_selector("text=Message funnel")
    page.click("[aria-label='Show Message funnel as a table']")
    sent = window.server.ask(metrics="sent", last="7d")["rows"][0]["sent"]["value"]
    assert page.inner_text(".twin tbody tr:first-child").split("\t")[:2] == ["Sent", f"{sent:,}"]
    with page.expect_download() as download:
        page.click("[aria-label='Download Message funnel as CSV']")
    assert download.value.suggested_filename == "tickertape-message-funnel.csv"


def test_hostile_names_are_shown_as_text(window: Window) -> None:
    page = window.open("/?metric=delivery_rate&by=campaign")
    page.wait_for_selector("dialog .breakdown tbody tr")
    assert HOSTILE in page.locator("dialog .breakdown tbody th").all_inner_texts()
    assert HOSTILE in page.locator(".failures tbody th").all_inner_texts()
    assert page.title() == "Overview · tickertape"
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("address", ["/", "/?metric=first_response_time", "/?channel=push", "/?range=custom"])
def test_axe_finds_nothing(chromium: Any, server: Server, theme: str, width: str, address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    window = Window(chromium, server, viewport=WIDTHS[width], color_scheme=theme)
    page = window.open(address)
    page.wait_for_selector(".by-channel, .nothing", state="attached")
    page.wait_for_timeout(1_500)
    found = axe.Axe().run(page).response["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS[width]["width"]
    window.context.close()


def test_without_motion_nothing_fades(chromium: Any, server: Server) -> None:
    window = Window(chromium, server, reduced_motion="reduce")
    page = window.open()
    page.wait_for_selector(".live[data-state=live]")
    before = value(page, "open_waits")
    one_more_wait(server)
    page.wait_for_function(
        "before => document.querySelector('[data-metric=open_waits] .value').textContent !== before", arg=before
    )
    running = "document.getAnimations().filter(a => a.playState === 'running').length"
    assert page.evaluate(running) == 0
    window.context.close()


def test_an_empty_workspace_says_how_to_begin(chromium: Any, empty_server: Server) -> None:
    window = Window(chromium, empty_server)
    page = window.open()
    page.wait_for_selector("text=No event yet")
    assert f"curl {empty_server.url}/v1/events" in page.inner_text(".welcome")
    assert "tickertape demo" in page.inner_text(".welcome")
    assert page.inner_text("[data-metric=delivery_rate] .status") == "No data yet"
    window.context.close()


def test_an_error_keeps_the_last_values_and_offers_a_retry(chromium: Any, server: Server) -> None:
    window = Window(chromium, server)
    page = window.open()
    page.wait_for_selector("[data-metric=delivery_rate] .value small")
    before = value(page, "delivery_rate")
    page.click(".live")
    window.context.route(
        "**/v1/query**", lambda route: route.fulfill(status=503, json={"error": {"message": "too busy"}})
    )
    page.click(".live")
    page.wait_for_selector("[role=alert]")
    assert "too busy" in page.inner_text("[role=alert]")
    window.context.unroute("**/v1/query**")
    page.click("[role=alert] >> text=Retry")
    page.wait_for_selector("[role=alert]", state="detached")
    assert value(page, "delivery_rate") == before
    window.context.close()


def test_a_lost_stream_is_said(chromium: Any, server: Server) -> None:
    window = Window(chromium, server)
    window.context.route("**/v1/live**", lambda route: route.abort())
    page = window.open()
    page.wait_for_selector(".live[data-state=reconnecting]")
    assert value(page, "delivery_rate") != "–"
    window.context.unroute("**/v1/live**")
    page.wait_for_selector(".live[data-state=live]", timeout=15_000)
    window.context.close()


def test_the_policy_allows_no_inline_code(server: Server) -> None:
    answer = server.client.post("/session", data={"key": server.key})
    policy = answer.headers.get("content-security-policy") or server.client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_signing_in_with_a_key(chromium: Any, server: Server) -> None:
    context = chromium.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(server.url)
    page.fill("[name=key]", "tt_wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]:visible")
    page.fill("[name=key]", server.key)
    page.keyboard.press("Enter")
    page.wait_for_selector(".tiles")
    context.close()
