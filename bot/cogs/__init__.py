"""The slash commands: a cog turns options into a request, passes it on, and replies.

To add one, write a class with ``commands()``, build it in `bot.app` with the parts that it needs,
add its sentences to ``bot/locale/en.toml`` and a test to ``tests/bot/cogs``.
"""
