"""A stand-in for Discord on the loopback interface, and the torture of the bot against it.

`server` speaks the gateway and the REST interface over real sockets and misbehaves on demand;
`run_bot` is the bot's own ``main`` pointed at it, `worker` an engine whose jobs take milliseconds,
`process` starts, kills and watches that bot; `torture` and `cases` are the experiments.
"""
