"""Reads one file of any format, compares it, and formats the table of many."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mst_core.errors import MstError
from mst_core.reading.formats import SNIFFED_BYTES, ScoreFormat, detect_format
from mst_core.reading.parsed_score import ParsedScore
from mst_core.reading.sandbox import parse_sync
from tests.tools.real_files import abc, midi, musicxml
from tests.tools.real_files.comparison import Comparison

SUFFIXES = {".mid", ".midi", ".kar", ".rmi", ".abc", ".xml", ".musicxml", ".mxl"}
ALIKE = 0.98
"""Agreement from which two readers count as alike."""


def examine(path: Path) -> dict[str, Any]:
    """Read one file and compare it; the row of the table."""
    data = path.read_bytes()
    row: dict[str, Any] = {"file": str(path), "format": path.suffix.lower().lstrip(".")}
    started = time.perf_counter()
    try:
        score_format = detect_format(path.name, len(data), data[:SNIFFED_BYTES])
        row["format"] = "musicxml" if score_format is ScoreFormat.MXL else str(score_format)
        score = parse_sync(path.name, data)
    except MstError as error:
        return row | {"refused": str(error), "code": error.code}
    row |= {"seconds": round(time.perf_counter() - started, 2), **_describe(score)}
    found = _compare(score_format, path, data, score)
    return row | ({} if found is None else asdict(found))


def _describe(score: ParsedScore) -> dict[str, Any]:
    """The figures of a score that the table and a person look at."""
    melody = score.melody
    return {
        "title": score.title,
        "melody_notes": len(melody.notes),
        "bar_count": melody.bar_count,
        "meter": str(melody.meter),
        "meter_changes": len(melody.meter_changes),
        "key": melody.key.name,
        "tempo": round(melody.tempo, 1),
        "tempo_changes": len(melody.tempo_changes),
        "parts": len(score.parts),
        "grace_notes": len(melody.grace_notes),
        "chords": len(melody.chords),
        "remarks": list(score.warnings),
    }


def _compare(
    score_format: ScoreFormat, path: Path, data: bytes, score: ParsedScore
) -> Comparison | None:
    """Compare with the independent reader of the format."""
    match score_format:
        case ScoreFormat.MIDI:
            return midi.compare(data, score)
        case ScoreFormat.ABC:
            return abc.compare(path, score)
        case _:
            return musicxml.compare(str(path), score)


def table(rows: Sequence[dict[str, Any]], root: Path) -> Iterator[str]:
    """Format the counts by folder: read, refused, compared, alike in notes, melody and bars."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[str(Path(row["file"]).parent.relative_to(root))].append(row)
        groups[f"all {row['format']}"].append(row)
    yield f"{'folder':28}{'files':>6}{'read':>6}{'notes alike':>14}{'melody alike':>14}{'bars':>12}"
    for name in sorted(groups):
        found = groups[name]
        read = [row for row in found if "refused" not in row]
        cells = [f"{name[:27]:28}{len(found):>6}{len(read):>6}"]
        for key in ("notes", "melody", "bars"):
            known = [row[key] for row in read if row.get(key) is not None]
            good = sum(value is True or value >= ALIKE for value in known)
            cells.append(f"{f'{good} of {len(known)}' if known else '-':>14}")
        yield "".join(cells)
