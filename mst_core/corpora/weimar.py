"""The Weimar Jazz Database (``wjazzd.db``) as corpus lines: transcribed solos, written straight.

The Jazzomat project publishes it as an SQLite file; its tables are described at
https://jazzomat.hfm-weimar.de/dbformat/dbformat.html. Each note says on which part of which beat it
began and how many seconds it lasted. Here it stands as on paper: swung pairs are even eighths, a
note is held to the next one unless half a beat of silence lies between, and rests begin on halves
of a beat.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, groupby, pairwise
from pathlib import Path
from typing import Any

from mst_core.corpora.files import RejectedItem
from mst_core.corpora.jsonl import CorpusLine, make_line
from mst_core.errors import BadOption, UnreadableScore
from mst_core.music import Meter

# From a transcribed beat to a written one: swung pairs become even eighths, the rest plain values.
#
# The Weimar Jazz Database divides each beat as finely as its player did, in up to twenty parts. A
# score writes the same beat in halves, thirds, quarters, sixths or at most twelfths, and leaves
# swing
# to the performance.

MAX_NOTES_PER_BEAT = 12
"""Parts of a beat at most: so many notes fit into one."""
_SUBDIVISION_COSTS = {2: 0.0, 3: 0.01, 4: 0.035, 6: 0.166, 12: 0.223}
"""What writing a beat in so many parts costs, in beats of mean shift that it must save."""
_SWING_PATTERNS = {
    # a pair long and short, a pair that comes late, and the late one alone
    (Fraction(0), Fraction(2, 3)): (Fraction(0), Fraction(1, 2)),
    (Fraction(1, 4), Fraction(3, 4)): (Fraction(0), Fraction(1, 2)),
    (Fraction(3, 4),): (Fraction(1, 2),),
}


def straighten(positions: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Write the notes of one beat: rising places of 0 to less than 1 beat, as many come back.

    Raises:
        ValueError: for more than `MAX_NOTES_PER_BEAT` notes in the beat.
    """
    if len(positions) > MAX_NOTES_PER_BEAT:
        raise ValueError(f"{len(positions)} notes in a beat")
    return _straighten(tuple(positions))


@lru_cache(maxsize=4096)
def _straighten(places: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    if not places or places in _SWING_PATTERNS:
        return _SWING_PATTERNS.get(places, ())
    written = [_fit_to_grid(places, parts) for parts in _SUBDIVISION_COSTS if parts >= len(places)]
    return min(written)[1]


def _fit_to_grid(places: tuple[Fraction, ...], parts: int) -> tuple[float, tuple[Fraction, ...]]:
    """The nearest places among so many parts of a beat, in order and apart, and their cost."""
    grid = [Fraction(part, parts) for part in range(parts)]
    shift, chosen = min(
        (sum(abs(a - b) for a, b in zip(places, some, strict=True)), some)
        for some in combinations(grid, len(places))
    )
    return float(shift) / len(places) + _SUBDIVISION_COSTS[parts], chosen


ACCEPTED = "the Weimar Jazz Database, wjazzd.db, is accepted"
FIRST_BYTES = b"SQLite format 3\0"
MAX_NOTES = 20_000
"""Notes of one solo."""
MAX_BEATS = 20_000
_HALF = Fraction(1, 2)
DatabaseRow = tuple[Any, ...]
"""The columns of one row, in the order of `_COLUMNS`."""
_COLUMNS = {
    "solo_info": "melid performer title instrument style avgtempo rhythmfeel key signature",
    "melody": "melid eventid onset pitch duration division bar beat tatum beatdur",
    "beats": "melid beatid bar beat chord",
}


@dataclass(frozen=True, slots=True)
class _Solo:
    solo_id: int
    performer: str
    title: str
    instrument: str
    style: str
    tempo: float
    feel: str
    key: str
    meter: Meter


@dataclass(frozen=True, slots=True)
class _Bars:
    """Where the bars of a solo begin, in beats from the first one that holds a note."""

    first: int
    starts: tuple[int, ...]
    """The start of each bar and, last, the end."""
    beats_per_bar: int
    """Beats of a bar as the signature has it."""

    def beat_index(self, bar: int, beat: int) -> int:
        """The beat, counted from 0, that stands in this bar."""
        return self.starts[bar - self.first] + beat - 1


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


def _select(database: sqlite3.Connection, table: str, how: str, *values: int) -> list[DatabaseRow]:
    columns = ", ".join(_COLUMNS[table].split())
    return database.execute(f"SELECT {columns} FROM {table} {how}", values).fetchall()  # noqa: S608


def _check_tables(database: sqlite3.Connection, name: str) -> None:
    for table, columns in _COLUMNS.items():
        there = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        missing = set(columns.split()) - there
        if missing:
            raise UnreadableScore(
                f"{name} has no {', '.join(sorted(missing))} in a table {table}", ACCEPTED
            )


def _read_solo(database: sqlite3.Connection, info: DatabaseRow) -> CorpusLine | RejectedItem:
    name = f"wjd-{int(info[0]):03d}"
    try:
        number, performer, title, instrument, style, tempo, feel, key, signature = info
        solo = _Solo(
            solo_id=int(number),
            performer=str(performer or ""),
            title=str(title or ""),
            instrument=str(instrument or ""),
            style=str(style or ""),
            tempo=float(tempo or 120),
            feel=str(feel or ""),
            key=str(key or ""),
            meter=Meter.parse(str(signature or "4/4")),
        )
        notes = _select(
            database, "melody", "WHERE melid = ? ORDER BY onset, eventid LIMIT 20001", solo.solo_id
        )
        beats = _select(
            database, "beats", "WHERE melid = ? ORDER BY beatid LIMIT 20001", solo.solo_id
        )
        if len(notes) < 2:
            return RejectedItem(name, "it has fewer than two notes")
        if len(notes) > MAX_NOTES or len(beats) > MAX_BEATS:
            return RejectedItem(name, f"it has more than {MAX_NOTES} notes or beats")
        return _to_line(name, solo, notes, beats)
    except (BadOption, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        return RejectedItem(name, f"its notes do not stand in its beats ({error})")


def _to_line(
    name: str, solo: _Solo, notes: list[DatabaseRow], beats: list[DatabaseRow]
) -> CorpusLine:
    beat_length = Fraction(4, solo.meter.denominator)
    bars = _count_bars(solo, notes, beats)
    starts = [start * beat_length for start in bars.starts]
    events = [
        (pitch, place * beat_length, length * beat_length)
        for pitch, place, length in _notes_and_rests(_note_positions(notes, bars), bars.starts[-1])
    ]
    lengths = {after - start for start, after in pairwise(bars.starts)}
    chords = [
        [str(chord), str(bars.beat_index(bar, beat) * beat_length)]
        for _, _, bar, beat, chord in beats
        if chord and 0 <= bar - bars.first < len(bars.starts) - 1
    ]
    return make_line(
        {
            "id": name,
            "title": solo.title,
            "source": "wjd",
            "performer": solo.performer,
            "instrument": solo.instrument,
            "style": solo.style,
            "feel": solo.feel,
            "tempo": round(solo.tempo, 1),
            "meter": str(solo.meter),
            "meter_changes": len(lengths) > 1,
            "key": solo.key,
            "pickup": "0",
            "bars_ok": lengths == {bars.beats_per_bar},
            "repeats_expanded": True,
            "chords": chords,
        },
        events,
        starts[:-1],
    )


def _count_bars(solo: _Solo, notes: list[DatabaseRow], beats: list[DatabaseRow]) -> _Bars:
    """Count the beats of each bar; one that the table of beats lacks is as the signature says."""
    counted: dict[int, int] = {}
    for _, _, bar, beat, _ in beats:
        counted[int(bar)] = max(counted.get(int(bar), 0), int(beat))
    first, last = (choose(int(note[6]) for note in notes) for choose in (min, max))
    if last - first > MAX_BEATS:
        raise ValueError(f"{last - first} bars")
    starts = [0]
    for bar in range(first, last + 1):
        starts.append(starts[-1] + counted.get(bar, solo.meter.numerator))
    return _Bars(first, tuple(starts), solo.meter.numerator)


def _note_positions(
    notes: list[DatabaseRow], bars: _Bars
) -> Iterator[tuple[int, Fraction, Fraction]]:
    """Pitch, straightened place and sounding end of each note, in beats.

    Of notes that stand on the same part of a beat the longest is kept, of more than twelve in one
    beat the twelve longest: the others are ornaments.
    """
    found: dict[Fraction, tuple[Fraction, int]] = {}
    for _, _, _, pitch, seconds, division, bar, beat, tatum, beat_seconds in notes:
        within = Fraction(int(tatum) - 1, int(division))
        if not 0 <= within < 1 or int(beat) < 1:
            raise ValueError(f"part {tatum} of {division} in beat {beat}")
        length = Fraction(float(seconds) / float(beat_seconds)).limit_denominator(1000)
        place = bars.beat_index(int(bar), int(beat)) + within
        found[place] = max(found.get(place, (Fraction(0), 0)), (length, round(float(pitch))))
    for beat, places in groupby(sorted(found), key=lambda place: place.__floor__()):
        kept = sorted(
            sorted(places, key=lambda place: found[place], reverse=True)[:MAX_NOTES_PER_BEAT]
        )
        for place, written in zip(kept, straighten([p - beat for p in kept]), strict=True):
            length, pitch = found[place]
            yield pitch, beat + written, place + length


def _notes_and_rests(
    notes: Iterator[tuple[int, Fraction, Fraction]], end: int
) -> Iterator[tuple[int | None, Fraction, Fraction]]:
    """Notes and rests in a row from 0, as (pitch or None, onset, duration)."""
    all_notes = list(notes)
    onsets = [onset for _, onset, _ in all_notes] + [Fraction(end)]
    if onsets[0] > 0:
        yield None, Fraction(0), onsets[0]
    for number, (pitch, onset, sounds_to) in enumerate(all_notes):
        following = onsets[number + 1]
        stop = max(round(sounds_to * 2) * _HALF, (onset * 2).__floor__() * _HALF + _HALF)
        if following - stop < _HALF:
            stop = following
        yield pitch, onset, stop - onset
        if stop < following:
            yield None, stop, following - stop


def is_database(first_bytes: bytes) -> bool:
    """Whether a file begins as SQLite files do."""
    return first_bytes.startswith(FIRST_BYTES)
