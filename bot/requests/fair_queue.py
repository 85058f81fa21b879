"""The order of the queue, in SQL: whose request is leased next.

A module of its own, because it is all that a change of the order touches.
"""

from __future__ import annotations

from mst_core.job_cost import LONG_JOB_S

# A fair queue: the first waiting request of each user, then the second of each, and so on. Among
# these the shortest goes first: each 10 s of expected work is a step back, each 30 s of waiting
# a step forward; on the same step the user served longest ago comes first, then the earliest
# request. An expired lease counts as waiting, and a user with a running request waits; one that is
# acknowledged or downloaded takes no place, so others of its user need not wait for it. All times
# are of a clock that never jumps; rows of before have those of the wall clock.
QUEUE = """(
    SELECT id, expected_s, row_number() OVER (PARTITION BY user_id ORDER BY id) AS nth,
    min(id) OVER (PARTITION BY user_id) AS came, (
        SELECT coalesce(max(other.started_steady), 0) FROM requests AS other
        WHERE other.user_id = requests.user_id
    ) AS served_at, EXISTS (
        SELECT 1 FROM requests AS other
        WHERE other.user_id = requests.user_id AND other.state IN ('waiting', 'running')
        AND other.state = 'running' AND other.lease_until >= :steady
        AND other.worker NOT IN ('intake', 'download')
    ) AS busy,
    CAST(max(0, expected_s / 10.0 - (:steady - coalesce(asked_steady, asked_at)) / 30.0) AS INTEGER)
        AS step
    FROM requests
    WHERE state IN ('waiting', 'running') AND (state = 'waiting' OR lease_until < :steady)
) AS queue"""  # "state IN ..." is what makes SQLite use the partial index
ORDER = "ORDER BY queue.nth + queue.busy, queue.step, queue.served_at, queue.came, queue.id"
LEASE = f"""UPDATE requests SET state = 'running', worker = :worker, started_at = :now,
        started_steady = :steady, lease_until = :steady + :seconds, begun = 0,
        tries = tries + (CASE WHEN state = 'running' AND NOT begun THEN 0 ELSE 1 END)
    WHERE id = (SELECT id FROM {QUEUE} WHERE NOT busy AND NOT (expected_s >= {LONG_JOB_S}
        AND (NOT :long OR EXISTS (SELECT 1 FROM requests AS long
        WHERE state IN ('waiting', 'running') AND state = 'running' AND lease_until >= :steady
        AND worker = :worker AND long.expected_s >= {LONG_JOB_S}))) {ORDER} LIMIT 1)
    RETURNING *"""  # noqa: S608 - constants of this module
"""Leases the next request to ``:worker`` for ``:seconds``; a long one where ``:long`` is 1."""
