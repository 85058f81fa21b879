"""The commands. No music is decided here: a cog hands over to the desk or the ledger, and replies.

To add one: a class with ``commands()``, built in `bot.app` with the parts it needs; its sentences
in ``bot/locale/en.toml``; a test in ``tests/bot/test_app.py``.
"""
