"""A running server and a signed-in browser window, as tests use them."""

from typing import Any

import httpx

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


class Server:
    """A running server: its address, an admin key, and a client that holds the key."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self.client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def post(self, events: list[dict[str, Any]]) -> None:
        answer = self.client.post("/v1/events", json=events)
        assert answer.status_code == 200, answer.text

    def ask(self, **question: str) -> dict[str, Any]:
        answer = self.client.get("/v1/query", params=question)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


class Window:
    """A signed-in browser window that notes what a visitor would not see: console errors and layout shifts."""

    def __init__(self, chromium: Any, server: Server, **options: Any) -> None:
        self.server = server
        self.context = chromium.new_context(**({"viewport": WIDE, "locale": "en-US"} | options))
        self.context.request.post(f"{server.url}/session", form={"key": server.key})
        self.problems: list[str] = []

    def open(self, address: str = "/") -> Any:
        page = self.context.new_page()
        page.on("console", lambda m: self.problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.add_init_script(
            "window.shifts = []; new PerformanceObserver(list => { for (const e of list.getEntries())"
            " if (!e.hadRecentInput) window.shifts.push(e.value) }).observe({type: 'layout-shift', buffered: true})"
        )
        page.goto(self.server.url + address)
        page.wait_for_selector(".tile-value, .skeleton", timeout=15_000)
        return page
