"""The files of finished requests until they are delivered: one folder each below ``results/``.

A module of its own because they are not in the database: an audio file has half a megabyte, and the
database stays small enough to copy. A folder is created atomically.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path


class ResultFiles:
    """Stores the result files of a request by format. Its methods block: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, request_id: int, files: Mapping[str, bytes]) -> None:
        """Write the files of a request, replacing earlier ones.

        Args:
            request_id: The request.
            files: The bytes of each file by its format, such as ``mp3``; pages as ``2.png``.
        """
        draft = self.folder / f".{request_id}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for suffix, content in files.items():
            with (draft / f"tune.{suffix}").open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        self.discard(request_id)
        draft.rename(self.folder / str(request_id))

    def read(self, request_id: int) -> dict[str, bytes]:
        """Return the files of a request by format; an empty dict when there are none."""
        folder = self.folder / str(request_id)
        paths = sorted(folder.glob("tune.*"))
        return {path.name.removeprefix("tune."): path.read_bytes() for path in paths}

    def discard(self, request_id: int) -> None:
        """Delete the files of a request, if there are any."""
        shutil.rmtree(self.folder / str(request_id), ignore_errors=True)

    def sweep(self, request_ids: Collection[int]) -> None:
        """Delete everything but the files of these requests."""
        kept = {str(request_id) for request_id in request_ids}
        for folder in self.folder.glob("*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
