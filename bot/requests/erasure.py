"""The erasure of what the ledger holds of a user: their requests, and names in those of others.

The files are deleted by `bot.requests.uploads`, and the jobs end in `bot.requests.scheduler`, whose
``delete_user`` calls both in the right order.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.requests.database import Database
from bot.requests.store import HELD

_WITHOUT_WORDS = """(
    SELECT json_group_array('…') FROM json_each(requests.error_arguments)
)"""


async def delete_requests(database: Database, user_id: int) -> list[int]:
    """Delete every request of a user.

    Args:
        database: The ledger.
        user_id: The user's id on Discord.

    Returns:
        The ids of the requests.
    """
    rows = await database.run(
        "DELETE FROM requests WHERE user_id = :user_id RETURNING id", user_id=user_id
    )
    return [row["id"] for row in rows]


async def forget_files(database: Database, files: Sequence[str], user_id: int) -> list[int]:
    """Delete the names and titles of a user's files from the requests of others that use them.

    A request of somebody who sent the same file keeps their own name of it.

    Args:
        database: The ledger.
        files: The SHA-256 of the files that the user had sent.
        user_id: The user's id on Discord.

    Returns:
        The ids of these requests that are not delivered yet: they are waiting again.
    """
    rows = await database.run(
        f"""UPDATE requests SET names = '{{}}',
               receipt = json_remove(
                   receipt, '$.source', '$.candidates', '$.tunes', '$.remarks'
               ),
               error_arguments = {_WITHOUT_WORDS}
           WHERE id IN (
               SELECT requests.id FROM requests, json_each(requests.names) AS name,
                   json_each(:files) AS file
               WHERE name.key = file.value AND requests.user_id != :user_id
               AND NOT EXISTS (
                   SELECT 1 FROM uploads
                   WHERE uploads.sha256 = name.key AND uploads.user_id = requests.user_id
               )
           ) RETURNING id, answered_at IS NULL AND NOT ({HELD}) AS is_open""",  # noqa: S608
        files=msgspec.json.encode(files).decode(),
        user_id=user_id,
    )
    return [row["id"] for row in rows if row["is_open"]]


async def restart_all(database: Database, request_ids: Sequence[int]) -> None:
    """Return undelivered requests to the queue, running and finished ones too.

    One whose job failed between `forget_files` and its end has named the file again: that goes.

    Args:
        database: The ledger.
        request_ids: The requests; those that are delivered, or failed, are not run again.
    """
    ids = msgspec.json.encode(request_ids).decode()
    await database.run(
        """UPDATE requests SET state = 'waiting', finished_at = NULL, receipt = NULL,
               stage_seconds = NULL, worker = NULL, lease_until = NULL
           WHERE id IN (SELECT value FROM json_each(:ids))
           AND answered_at IS NULL AND state IN ('running', 'done')""",
        ids=ids,
    )
    await database.run(
        f"""UPDATE requests SET error_arguments = {_WITHOUT_WORDS}
           WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 'failed'""",  # noqa: S608
        ids=ids,
    )
