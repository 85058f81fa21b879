"""Write docs/preview.png: the local preview with a finished tune.

Run it from the project's folder: ``.venv/bin/python docs/make_screenshot.py``. It starts the real
bot with the real engine, requests a folk tune in Chromium, and takes the screenshot when the audio
can be played.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PICTURE = PROJECT / "docs" / "preview.png"


def main() -> None:
    """Start the preview, take the screenshot of a tune, and stop the preview."""
    sys.path.insert(0, str(PROJECT))
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DISCORD_TOKEN": "",
            "MST_DATA_DIR": folder,
            "MST_TRYOUT_PORT": "0",
        }
        command = (sys.executable, *(sys.argv[1:] or ("-m", "bot")))
        with subprocess.Popen(  # noqa: S603 - our own bot
            command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
        ) as bot:
            try:
                address = bot.stdout.readline().split()[4]
                take_picture(address, Path(folder) / "profile")
            finally:
                bot.terminate()


def take_picture(address: str, profile: Path) -> None:
    """Request a tune and take the screenshot of its result.

    Args:
        address: URL that the preview printed.
        profile: folder for Chromium's profile.
    """
    from tests.support.browser import (
        BrowserUser,
        audio_seconds,
        open_browser,
        score_width,
        wait_until,
    )

    with open_browser(profile, width=1000, height=1180) as browser:
        you = BrowserUser(browser, address)
        you.page.get_by_role("button", name="Messages").click()  # folds the list at the left
        you.command("compose", style="folk")
        result = you.results().first
        result.wait_for(timeout=180_000)
        wait_until(lambda: audio_seconds(result) > 0, "a sound")
        wait_until(lambda: score_width(result) > 0, "a score")
        you.page.locator("#channel-timeline").evaluate("e => e.scrollTo(0, 0)")
        wait_until(lambda: not you.page.locator("[aria-busy=true]").count(), "everything drawn")
        you.page.mouse.move(990, 5)
        you.page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
