"""The Discord bot: it speaks with people and keeps its word; it knows nothing of networks.

One request, from the channel and back:

1. `cogs.compose` checks the options (refusals are private), then defers: Discord allows 3 s.
   A file is fetched meanwhile (`fetching`) and kept once (`uploads`).
2. `desk.Desk.ask` writes the request to the `ledger`; only when it is committed the asker is told.
3. `dispatch.Dispatcher` leases the oldest request of the user whose turn it is to the engine,
   with what `mst_core.reading.sandbox`, a process for each file, reads of an upload.
4. The engine (`mst_core.engine`) reports progress; `delivery.Delivery` edits the one message.
5. The rendition goes to the `shelf` (files) and the ledger (receipt): from here it is kept.
6. `answering` has `replies` shape it and the delivery put it into the message, until the ledger can
   note that it was told; then its files go.
7. What fails on the way removes the message and tells the asker alone, in words of `texts`.

After a crash of engine or bot, steps 3 to 7 run again for every request that has no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.app import MusicBot
    from bot.settings import Settings
    from mst_core.engine import Engine

__all__ = ["create_bot"]


def create_bot(engine: Engine | None = None, settings: Settings | None = None) -> MusicBot:
    """Build the bot from the environment, not yet logged in.

    Both arguments are for harnesses: another engine, other settings.

    Raises:
        bot.settings.BadSetting: when a setting makes no sense.
        mst_core.errors.MstError: when a style folder is broken.
    """
    from bot.app import MusicBot, build_engine
    from bot.settings import Settings

    settings = settings or Settings.from_environment()
    return MusicBot(engine or build_engine(settings), settings)
