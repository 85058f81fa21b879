"""The local preview: the same bot in a browser channel, without a Discord account.

`serve` runs the bot of `bot.create_bot` against SimCord, a model of Discord inside this process,
and shows it with SimCord's Preview on 127.0.0.1. Cogs, queue and engine are the real ones. Voice
and the menu of a right click on a message are missing.

* `bot.preview.server`: one server, one channel, two users, from start to end.
* `bot.preview.live`: keeps the page and SimCord's clock in step with real time.
* `bot.preview.engine`: runs the engine outside of SimCord's simulated clock.
"""

from bot.preview.server import serve

__all__ = ["serve"]
