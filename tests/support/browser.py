"""A user of the preview's page: real headless Chromium, driven by Playwright."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
MESSAGE = ".channel-message"
TIMEOUT_S = 60.0


@contextmanager
def open_browser(
    profile: Path, *, width: int = 1280, height: int = 900
) -> Iterator[BrowserContext]:
    """Start Chromium with a fresh profile folder and a window of the given size in pixels."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if chromium is None:
        raise RuntimeError("no Chromium was found; install the package chromium")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium,
            headless=True,
            args=FLAGS,
            viewport={"width": width, "height": height},
        )
        try:
            yield context
        finally:
            context.close()


class BrowserUser:
    """Opens the preview in a tab, enters commands and reads messages."""

    def __init__(self, browser: BrowserContext, address: str) -> None:
        self.page: Page = browser.new_page()
        self.page.set_default_timeout(TIMEOUT_S * 1000)
        self.page.goto(address)
        self.page.get_by_text("Welcome").first.wait_for()

    def view_as(self, name: str) -> None:
        """View the channel as another user."""
        self.page.get_by_label("Viewing as").select_option(label=name)
        self.page.get_by_placeholder("Message #music").wait_for()

    def command(self, name: str, file: Path | None = None, **options: str) -> None:
        """Enter a slash command: attach its file, and type or choose each option."""
        self.page.get_by_placeholder("Message #music").press_sequentially(f"/{name}")
        self.page.locator(".command-entry").first.click()
        if file:
            chooser = self.page.locator('.command-file-input[data-option="file"]')
            chooser.or_(self.page.locator(".command-ghost")).first.wait_for(state="attached")
            if not chooser.count():
                self._show_option("file")
            chooser.set_input_files(file)
            self.page.locator(".command-file-choose").filter(has_text=file.name).wait_for()
        for option, value in options.items():
            field = self.page.locator(f'.command-option-input[data-option="{option}"]')
            if not field.count():
                self._show_option(option)
            field.press_sequentially(value)
            if field.get_attribute("role") == "combobox":
                self.page.locator(".command-suggestion").first.click()
        self.page.get_by_label("Send", exact=True).click()

    def _show_option(self, option: str) -> None:
        """Show the field of an optional option."""
        self.page.locator(".command-ghost").click()
        name = re.compile(rf"^{option}\b")
        self.page.locator(".command-suggestion").filter(has_text=name).click()

    def press(self, button: str, message: Locator) -> None:
        """Press a button of a message."""
        message.get_by_role("button", name=button).click()

    def messages(self, text: str) -> Locator:
        """The messages that contain a text."""
        return self.page.locator(MESSAGE).filter(has_text=text)

    def results(self) -> Locator:
        """The messages with a finished tune."""
        return self.page.locator(MESSAGE).filter(has=self.page.locator("audio"))

    def percentages(self) -> list[int]:
        """The progress of the running jobs in percent, from top to bottom."""
        lines = self.page.locator(MESSAGE).filter(has_text="▱").all_inner_texts()
        return [int(line.rpartition("%")[0].split()[-1]) for line in lines]


def audio_seconds(result: Locator) -> float:
    """The duration of a result's audio in seconds; 0 until the browser can play it."""
    return float(result.locator("audio").evaluate("element => element.duration || 0"))


def seconds_played(result: Locator) -> float:
    """How much of a result's audio has been played, in seconds."""
    return float(result.locator("audio").evaluate("element => element.currentTime"))


def score_width(result: Locator) -> int:
    """The natural width of a result's picture in pixels; 0 before it is loaded."""
    widths: list[int] = result.locator("img").evaluate_all("all => all.map(e => e.naturalWidth)")
    return max(widths, default=0)


def wait_until(condition: Callable[[], Any], description: str, timeout_s: float = TIMEOUT_S) -> Any:
    """Return the value of ``condition`` as soon as it is true.

    Raises:
        AssertionError: with ``description`` after ``timeout_s`` seconds.
    """
    end = time.monotonic() + timeout_s
    while not (seen := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s:g} s in vain: {description}")
        time.sleep(0.1)
    return seen
