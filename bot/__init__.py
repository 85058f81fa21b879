"""The Discord bot: commands, the queue of requests, messages, and the local preview.

The path of a request, through eight rooms:

1. `bot.cogs`: a slash command turns its options into a request (`mst_core.requests.Request`).
2. `bot.requests.intake`: validates the request, downloads its files, acknowledges it within 3 s.
3. `bot.requests.store`: stores it in SQLite; from here it survives a crash.
4. `bot.requests.scheduler`: leases it, the users taking turns, as soon as the engine has capacity.
5. `mst_core.engine`: runs the job in a worker process and reports its progress.
6. `mst_core.studio`: composes or changes the tune there, and renders audio, picture and MIDI.
7. `bot.messages.replies`: builds the messages, from the place in the queue to the result.
8. `bot.requests.outbox`: delivers the outcome, again and again while Discord is unreachable.

After a crash of the engine or of the bot, steps 4 to 8 are repeated for every request without a
delivered outcome. The other rooms are `bot.settings` and `bot.texts`, below all of them, `bot.app`,
which connects them, and `bot.preview`, the local preview.
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

    Args:
        engine: The engine; by default the one that ``settings`` name.
        settings: The settings; by default those of the environment and of ``.env``.

    Raises:
        bot.settings.BadSetting: when a setting is invalid.
        mst_core.errors.MstError: when a style folder is broken.
    """
    from bot.app import MusicBot, build_engine
    from bot.settings import Settings

    settings = settings or Settings.from_environment()
    return MusicBot(engine or build_engine(settings), settings)
