"""What an operator sees of the bot: its health, its metrics, and logs that a program reads.

Nothing here knows a user, a name or a file: only numbers, stages and the codes of errors. Without
``MST_HEALTH_PORT`` nothing is served, and `metrics`, with its library, is never imported.
"""
