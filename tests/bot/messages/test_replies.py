"""File names of users fit into Discord's messages and are not formatted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages.captions import escape, join_lines
from bot.messages.replies import Replies
from bot.requests.database import Database
from bot.requests.store import RequestStore
from bot.texts import Texts
from mst_core.requests import Side, Transfer
from mst_core.styles import load_style_cards
from tests.support.discord_env import DiscordEnv
from tests.support.fakes import make_new_request, write_styles
from tests.support.receipts import example_receipt
from tests.support.uploads import send_rerhythm, write_reel

STARS = "*" * 2000
SOURCE, LIKE = "a" * 64, "b" * 64
RECEIPT = example_receipt(
    form="AABB",
    source=STARS,
    rhythm_strength=0.5,
    rhythm_changed=0.5,
    pitch_strength=0.5,
    pitch_changed=0.5,
    repeats=(300, 300),
    rank_among=(50, 50),
    longest_shared_run=99,
    p95_shared_run=99,
    warnings=(STARS,) * 20,
)


@given(st.text("ab*_\\\\`~|", max_size=40), st.integers(2, 20))
def test_a_truncated_text_ends_in_no_half_escape(text: str, most: int) -> None:
    shown = escape(text, most)
    assert len(shown) <= most
    assert re.fullmatch(r"(?:\\[*_\\`~|]|[ab])*…?", shown)


async def test_the_longest_result_fits_discords_limits(tmp_path: Path) -> None:
    store = RequestStore(await Database.open(tmp_path / "ledger.sqlite3"))
    try:
        request = Transfer(
            source=SOURCE, seed=1, rhythm=Side(like=LIKE, strength=0.5), pitch=Side(like=LIKE)
        )
        record = await store.add(make_new_request(request=request))
        record = replace(record, names={SOURCE: STARS, LIKE: STARS})
    finally:
        await store.close()
    replies = Replies(Texts.open(), load_style_cards(write_styles(tmp_path / "models")))
    answer = replies.result(record, RECEIPT, {"png": b""})
    assert len(answer.content) <= 2000
    assert len(answer.embeds[0].title or "") <= 256
    assert len(answer.embeds[0].description or "") <= 4096
    assert all(len(field.value or "") <= 1024 for field in answer.embeds[0].fields)
    assert len(answer.embeds[0]) <= 6000
    assert len(answer.embeds[0].fields) <= 25
    assert all(len(file.filename) <= 260 for file in answer.files)


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_a_list_that_is_too_long_loses_its_last_lines(count: int) -> None:
    lines = [f"{number} {'x' * 400}" for number in range(count)]
    kept = join_lines(lines)
    assert len(kept) <= 4096
    assert kept.split("\n") == lines[:10]


async def test_a_history_of_the_longest_names_can_be_shown(server: DiscordEnv) -> None:
    for _ in range(10):
        await send_rerhythm(server, f"{'*' * 90}.mid", write_reel(bars=2))
    result = await server.alice.slash(server.channel, "history")
    assert result.response is not None
    assert len(str(result.response.embeds[0].description).split("\n")) >= 8
