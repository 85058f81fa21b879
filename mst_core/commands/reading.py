"""Reads the files that a person names, each in a process of its own."""

from __future__ import annotations

import logging
from pathlib import Path

from mst_core.errors import MstError, UnreadableScore
from mst_core.reading.formats import ACCEPTED, FIRST_BYTES, Kind, cheap_check, show_name
from mst_core.reading.parsed_score import Limits, Reading
from mst_core.reading.sandbox import parse_sync

# What the process logs is for who runs the bot. A person here gets the one line.
_SILENCE = logging.NullHandler()


def read_file(path: Path, *, track: int | None = None) -> tuple[Kind, Reading]:
    """Read a score; ``track`` names the track or part with the melody, from 1.

    Raises:
        MstError: as `mst_core.reading.sandbox.parse_sync`, and UnreadableScore when it cannot be opened.
    """
    logging.getLogger("mst_core.reading.sandbox").addHandler(_SILENCE)
    data = read_bytes(path)
    kind = cheap_check(path.name, len(data), data[:FIRST_BYTES])
    return kind, parse_sync(path.name, data, track=track)


def read_bytes(path: Path) -> bytes:
    """Return what a file holds, or one byte more than the limit, which is refused later on.

    Raises:
        UnreadableScore: when it is not there, no file, or not for us.
    """
    try:
        if path.exists() and not path.is_file():  # a folder; or a pipe, which may never end
            raise UnreadableScore(f"{show_name(str(path))} is not a file", ACCEPTED)
        with path.open("rb") as file:
            return file.read(Limits().octets + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "a name that no file can have"
        raise UnreadableScore(f"{show_name(str(path))}: {reason.lower()}", ACCEPTED) from error


def name_fault(path: Path, error: MstError) -> str:
    """Say in one sentence what is wrong with which file."""
    name = show_name(str(path))
    sentence = " ".join(str(error).split())
    return sentence if name in sentence else f"{name}: {sentence}"
