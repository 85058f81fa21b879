"""The Weimar Jazz Database (``wjazzd.db``) as corpus lines: transcribed solos, notated straight.

The Jazzomat project publishes it as an SQLite file; its tables are described at
https://jazzomat.hfm-weimar.de/dbformat/dbformat.html. For each note it gives the bar, the beat, the
division of the beat (up to twenty parts) and the length in seconds. A line has what a score would
have: swung pairs are even eighths, other onsets are quantized to halves, thirds, quarters, sixths
or twelfths of a beat, a note lasts until the next one unless half a beat of silence lies between,
and rests begin on halves of a beat.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, groupby, pairwise
from pathlib import Path
from typing import Any

from mst_core.corpora.files import RejectedItem
from mst_core.corpora.jsonl import CorpusLine, make_line
from mst_core.errors import BadOption, UnreadableScore
from mst_core.music import Meter

ACCEPTED = "the Weimar Jazz Database, wjazzd.db, is accepted"
MAX_NOTES = 20_000
"""Notes of one solo."""
MAX_BEATS = 20_000
"""Beats, and bars, of one solo."""
MAX_NOTES_PER_BEAT = 12
"""The finest subdivision of a beat, and so the most notes in it."""
_SUBDIVISION_COSTS = {2: 0.0, 3: 0.01, 4: 0.035, 6: 0.166, 12: 0.223}
"""Cost of dividing a beat into this many parts, in beats of mean shift that it must save."""
_SWING_PATTERNS = {
    # a long-short pair, the same pair played late, and its second note alone
    (Fraction(0), Fraction(2, 3)): (Fraction(0), Fraction(1, 2)),
    (Fraction(1, 4), Fraction(3, 4)): (Fraction(0), Fraction(1, 2)),
    (Fraction(3, 4),): (Fraction(1, 2),),
}
"""Positions in the beat as they are played, and as they are notated."""
_HALF = Fraction(1, 2)

_COLUMNS = {
    "solo_info": "melid performer title instrument style avgtempo rhythmfeel key signature",
    "melody": "melid eventid onset pitch duration division bar beat tatum beatdur",
    "beats": "melid beatid bar beat chord",
}


def read_solos(path: Path) -> Iterator[CorpusLine | RejectedItem]:
    """Read every solo of the database, in the order of its numbers.

    Raises:
        UnreadableScore: when the file is not the database, or broken.
    """
    try:
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            _check_tables(database, path.name)
            infos = _select(database, "solo_info", "ORDER BY melid LIMIT 100000")
            for info in infos:
                yield _read_solo(database, info)
    except sqlite3.Error as error:
        raise UnreadableScore(f"{path.name} is broken ({error})", ACCEPTED) from error


def _select(
    database: sqlite3.Connection, table: str, clauses: str, *values: int
) -> list[tuple[Any, ...]]:
    columns = ", ".join(_COLUMNS[table].split())
    query = f"SELECT {columns} FROM {table} {clauses}"  # noqa: S608
    return database.execute(query, values).fetchall()


def _check_tables(database: sqlite3.Connection, name: str) -> None:
    """Raise UnreadableScore when a table lacks a column."""
    for table, columns in _COLUMNS.items():
        present = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        missing = set(columns.split()) - present
        if missing:
            raise UnreadableScore(
                f"{name} has no {', '.join(sorted(missing))} in a table {table}", ACCEPTED
            )


def _read_solo(database: sqlite3.Connection, info: tuple[Any, ...]) -> CorpusLine | RejectedItem:
    """Read one solo by its row of ``solo_info``."""
    name = f"wjd-{int(info[0]):03d}"
    try:
        number, performer, title, instrument, style, tempo, feel, key, signature = info
        meter = Meter.parse(str(signature or "4/4"))
        fields = {
            "id": name,
            "title": str(title or ""),
            "source": "wjd",
            "performer": str(performer or ""),
            "instrument": str(instrument or ""),
            "style": str(style or ""),
            "feel": str(feel or ""),
            "tempo": round(float(tempo or 120), 1),
            "meter": str(meter),
            "key": str(key or ""),
            "pickup": "0",
            "repeats_expanded": True,
        }
        notes = _select(
            database, "melody", "WHERE melid = ? ORDER BY onset, eventid LIMIT 20001", int(number)
        )
        beats = _select(
            database, "beats", "WHERE melid = ? ORDER BY beatid LIMIT 20001", int(number)
        )
        if len(notes) < 2:
            return RejectedItem(name, "it has fewer than two notes")
        if len(notes) > MAX_NOTES or len(beats) > MAX_BEATS:
            return RejectedItem(name, f"it has more than {MAX_NOTES} notes or beats")
        return _to_line(fields, meter, notes, beats)
    except (BadOption, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        return RejectedItem(name, f"its notes do not stand in its beats ({error})")


def _to_line(
    fields: CorpusLine, meter: Meter, notes: list[tuple[Any, ...]], beats: list[tuple[Any, ...]]
) -> CorpusLine:
    """Add notes, bars and chords to the other fields of a line."""
    beat_length = Fraction(4, meter.denominator)
    starts, end = _count_bars(meter, notes, beats)
    events = [
        (pitch, onset * beat_length, duration * beat_length)
        for pitch, onset, duration in _notes_and_rests(_note_positions(notes, starts), end)
    ]
    lengths = {after - start for start, after in pairwise([*starts.values(), end])}
    chords = [
        [str(chord), str((starts[bar] + beat - 1) * beat_length)]
        for _, _, bar, beat, chord in beats
        if chord and bar in starts
    ]
    more = {
        "meter_changes": len(lengths) > 1,
        "bars_ok": lengths == {meter.numerator},
        "chords": chords,
    }
    return make_line(fields | more, events, [start * beat_length for start in starts.values()])


def _count_bars(
    meter: Meter, notes: list[tuple[Any, ...]], beats: list[tuple[Any, ...]]
) -> tuple[dict[int, int], int]:
    """Find the starts of the bars and the end of the last one, in beats.

    A bar that the table of beats lacks has as many beats as the meter.
    """
    counted: dict[int, int] = {}
    for _, _, bar, beat, _ in beats:
        counted[int(bar)] = max(counted.get(int(bar), 0), int(beat))
    first, last = (choose(int(note[6]) for note in notes) for choose in (min, max))
    if last - first > MAX_BEATS:
        raise ValueError(f"{last - first} bars")
    starts, end = {}, 0
    for bar in range(first, last + 1):
        starts[bar] = end
        end += counted.get(bar, meter.numerator)
    return starts, end


def _note_positions(
    notes: list[tuple[Any, ...]], starts: dict[int, int]
) -> Iterator[tuple[int, Fraction, Fraction]]:
    """Yield (pitch, straightened onset, end as played) of each note, times in beats.

    Of notes at one position the longest is kept, and of more than twelve in one beat the twelve
    longest: the others are ornaments.
    """
    found: dict[Fraction, tuple[Fraction, int]] = {}
    for _, _, _, pitch, seconds, division, bar, beat, tatum, beat_seconds in notes:
        within = Fraction(int(tatum) - 1, int(division))
        if not 0 <= within < 1 or int(beat) < 1:
            raise ValueError(f"part {tatum} of {division} in beat {beat}")
        length = Fraction(float(seconds) / float(beat_seconds)).limit_denominator(1000)
        position = starts[int(bar)] + int(beat) - 1 + within
        found[position] = max(found.get(position, (Fraction(0), 0)), (length, round(float(pitch))))
    for beat, positions in groupby(sorted(found), key=lambda position: position.__floor__()):
        by_length = sorted(positions, key=lambda position: found[position], reverse=True)
        kept = sorted(by_length[:MAX_NOTES_PER_BEAT])
        for position, straight in zip(kept, straighten([p - beat for p in kept]), strict=True):
            length, pitch = found[position]
            yield pitch, beat + straight, position + length


def straighten(positions: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Quantize the onsets of one beat as a score would notate them.

    Args:
        positions: onsets in the beat, ascending, 0 to less than 1 beat.

    Returns:
        As many onsets, ascending: swung pairs are even eighths.

    Raises:
        ValueError: for more than `MAX_NOTES_PER_BEAT` onsets.
    """
    if len(positions) > MAX_NOTES_PER_BEAT:
        raise ValueError(f"{len(positions)} notes in a beat")
    return _straighten(tuple(positions))


@lru_cache(maxsize=4096)
def _straighten(positions: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Look a swing pattern up, or choose the subdivision with the lowest cost."""
    if not positions or positions in _SWING_PATTERNS:
        return _SWING_PATTERNS.get(positions, ())
    fitted = [
        _fit_to_grid(positions, parts) for parts in _SUBDIVISION_COSTS if parts >= len(positions)
    ]
    return min(fitted)[1]


def _fit_to_grid(positions: tuple[Fraction, ...], parts: int) -> tuple[float, tuple[Fraction, ...]]:
    """Find the cost, and the nearest distinct positions on a grid of ``parts`` parts of a beat."""
    grid = [Fraction(part, parts) for part in range(parts)]
    shift, chosen = min(
        (sum(abs(a - b) for a, b in zip(positions, some, strict=True)), some)
        for some in combinations(grid, len(positions))
    )
    return float(shift) / len(positions) + _SUBDIVISION_COSTS[parts], chosen


def _notes_and_rests(
    notes: Iterator[tuple[int, Fraction, Fraction]], end: int
) -> Iterator[tuple[int | None, Fraction, Fraction]]:
    """Yield contiguous (pitch or None, onset, duration) in beats, from 0 to the end."""
    all_notes = list(notes)
    onsets = [onset for _, onset, _ in all_notes] + [Fraction(end)]
    if onsets[0] > 0:
        yield None, Fraction(0), onsets[0]
    for index, (pitch, onset, played_end) in enumerate(all_notes):
        following = onsets[index + 1]
        stop = max(round(played_end * 2) * _HALF, (onset * 2).__floor__() * _HALF + _HALF)
        if following - stop < _HALF:
            stop = following
        yield pitch, onset, stop - onset
        if stop < following:
            yield None, stop, following - stop
