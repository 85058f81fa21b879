"""Compares what is read from an ABC file with what abc2midi plays of it, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from mido import MidiFile

from mst_core.music import Melody
from mst_core.reading.parsed_score import ParsedScore
from tests.tools.real_files.comparison import Comparison, similarity


def compare(path: Path, score: ParsedScore) -> Comparison | None:
    """Compare the pitch sequence of the melody as played, repeats included.

    Args:
        path: the file; its first tune is compared.
        score: what our reader found in it.

    Returns:
        None where abc2midi is not installed or plays nothing.
    """
    if shutil.which("abc2midi") is None:
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    number = re.search(r"^X:\s*(\d+)", text, re.MULTILINE)
    quiet = re.sub(r"^(K:.*)$", r"\1\n%%MIDI gchordoff", text, count=1, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "tune.abc", Path(folder) / "tune.mid"
        source.write_text(quiet, encoding="utf-8")
        command = ["abc2midi", str(source), number[1] if number else "1", "-o", str(target)]
        subprocess.run([*command, "-NGRA"], capture_output=True, timeout=60, check=False)
        if not target.exists():
            return None
        file = MidiFile(target, clip=True)
    highest: dict[int, int] = {}
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                highest[now] = max(highest.get(now, 0), message.note)
        if highest:
            break  # the first voice that plays
    if not highest:
        return None
    theirs = [highest[tick] for tick in sorted(highest)]
    return Comparison(None, similarity(_played(score.melody), theirs))


def _played(melody: Melody) -> list[int]:
    """The MIDI numbers of the notes in the order of playing, repeats and endings included."""
    lines = melody.barlines
    found: list[int] = []

    def take(start: object, end: object) -> None:
        found.extend(note.pitch for note in melody.notes if start <= note.onset < end)  # type: ignore[operator]

    position = -melody.pickup
    for repeat in melody.repeats:
        start, end = lines[repeat.start] - repeat.lead_in, lines[repeat.end] - repeat.lead_out
        take(position, end)
        stop = end if repeat.first_ending is None else lines[repeat.first_ending]
        take(start, stop)
        position = end
    take(position, melody.length)
    return found
