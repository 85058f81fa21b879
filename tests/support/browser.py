"""A person in front of the try-out's page: real headless Chromium, driven by Playwright."""

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
PATIENCE_S = 60.0


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


class Visitor:
    """Opens the try-out in a tab, gives commands, and looks at what comes."""

    def __init__(self, browser: BrowserContext, address: str) -> None:
        self.page: Page = browser.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        self.page.goto(address)
        self.page.get_by_text("Welcome").first.wait_for()

    def become(self, name: str) -> None:
        """View the channel as someone else."""
        self.page.get_by_label("Viewing as").select_option(label=name)
        self.page.get_by_placeholder("Message #music").wait_for()

    def command(self, name: str, file: Path | None = None, **options: str) -> None:
        """Give a slash command: attach its file, fill each option in or choose it from its list."""
        self.page.get_by_placeholder("Message #music").press_sequentially(f"/{name}")
        self.page.locator(".command-entry").first.click()
        if file:
            chooser = self.page.locator('.command-file-input[data-option="file"]')
            chooser.or_(self.page.locator(".command-ghost")).first.wait_for(state="attached")
            if not chooser.count():
                self._unfold("file")
            chooser.set_input_files(file)
            self.page.locator(".command-file-choose").filter(has_text=file.name).wait_for()
        for option, value in options.items():
            field = self.page.locator(f'.command-option-input[data-option="{option}"]')
            if not field.count():
                self._unfold(option)
            field.press_sequentially(value)
            if field.get_attribute("role") == "combobox":
                self.page.locator(".command-suggestion").first.click()
        self.page.get_by_label("Send", exact=True).click()

    def _unfold(self, option: str) -> None:
        """Show the field of an option that need not be given."""
        self.page.locator(".command-ghost").click()
        name = re.compile(rf"^{option}\b")
        self.page.locator(".command-suggestion").filter(has_text=name).click()

    def press(self, button: str, message: Locator) -> None:
        """Press a button of a message."""
        message.get_by_role("button", name=button).click()

    def messages(self, text: str) -> Locator:
        """The messages that hold a text."""
        return self.page.locator(MESSAGE).filter(has_text=text)

    def results(self) -> Locator:
        """The messages with a finished tune."""
        return self.page.locator(MESSAGE).filter(has=self.page.locator("audio"))

    def shares(self) -> list[int]:
        """The progress of the running jobs in percent, from top to bottom."""
        lines = self.page.locator(MESSAGE).filter(has_text="▱").all_inner_texts()
        return [int(line.rpartition("%")[0].split()[-1]) for line in lines]


def seconds_of_sound(result: Locator) -> float:
    """How long the sound of a result lasts, once the browser can play it; 0 before."""
    return float(result.locator("audio").evaluate("element => element.duration || 0"))


def played(result: Locator) -> float:
    """How much of the sound of a result has been played, in seconds."""
    return float(result.locator("audio").evaluate("element => element.currentTime"))


def width_of_score(result: Locator) -> int:
    """How wide the picture of a result is, in pixels of its own; 0 before it is there."""
    widths: list[int] = result.locator("img").evaluate_all("all => all.map(e => e.naturalWidth)")
    return max(widths, default=0)


def wait_until(look: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Return what ``look`` sees as soon as it is true.

    Raises:
        AssertionError: with ``what`` when patience is at its end.
    """
    end = time.monotonic() + patience_s
    while not (seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience_s:g} s in vain: {what}")
        time.sleep(0.1)
    return seen
