"""The try-out: the very same bot in a channel in the browser, without a Discord account.

`serve` runs the bot of `bot.create_bot` against SimCord, a model of Discord inside this process,
and shows it with SimCord's Preview on 127.0.0.1. Cogs, ledger and engine are the real ones. What is
not there: voice, and the menu of a right click on a message.

* `bot.preview.server`: one server, one channel, two people, from the start to the end.
* `bot.preview.live`: the page, kept in step with real time, and the private parts of SimCord.
* `bot.preview.engine`: the engine, moved out of the simulation.
"""

from bot.preview.server import serve

__all__ = ["serve"]
