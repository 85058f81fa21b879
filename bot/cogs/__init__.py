"""The slash commands: a cog turns options into a request, passes it on, and replies.

To add one, write a function that returns it with `build_command` of `bot.cogs.options`, call that
function in `bot.app` with the parts that it needs, and add the command's sentences to
``bot/locale/en.toml`` and its tests to ``tests/bot/cogs``.
"""
