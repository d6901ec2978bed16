"""`make screenshots`: runs the demo in a folder of its own and takes the pictures in docs/img/."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "img"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = (("overview-light", 1440, 900, "light"), ("overview-dark", 1440, 900, "dark"),
         ("overview-phone-light", 390, 844, "light"), ("overview-phone-dark", 390, 844, "dark"))  # fmt: skip
PORT = "8879"


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tickertape-shots-") as folder:
        command = [str(Path(sys.executable).with_name("tickertape")), "demo", "--no-browser", "--port", PORT]
        log = Path(folder) / "demo.log"
        with log.open("wb") as output:
            demo = subprocess.Popen([*command, "--data", folder], stdout=output, stderr=output)
        try:
            _take(_address(demo, log))
        finally:
            demo.terminate()
            demo.wait(60)


def _address(demo: "subprocess.Popen[bytes]", log: Path) -> str:
    """The one-time link, once the history is written and every figure shows it."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and demo.poll() is None:
        said = log.read_text("utf-8", "replace")
        if "of history in" in said and (found := re.search(r"http://\S+ticket=\S+", said)):
            time.sleep(20)  # live traffic for the sparklines' last point
            httpx.get(f"http://127.0.0.1:{PORT}/readyz").raise_for_status()
            return found[0]
        time.sleep(0.5)
    raise SystemExit(f"The demo did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def _take(link: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        first = browser.new_context()
        first.new_page().goto(link)
        session = first.storage_state()
        for name, width, height, theme in SHOTS:
            window = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, storage_state=session, locale="en-US"
            )
            page = window.new_page()
            page.goto(link.partition("?")[0])
            page.wait_for_load_state("load")
            page.wait_for_timeout(5000)
            page.screenshot(path=IMAGES / f"{name}.png", full_page=True)
            print(IMAGES / f"{name}.png")
            window.close()
        browser.close()


if __name__ == "__main__":
    main()
