"""A tune as a line of a corpus file, whatever it was read from. docs/corpus.md tells the format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from mst_core.corpora.folk_books import FolkTune
from mst_core.corpora.tunes import CorpusTune, parse_tune
from mst_core.errors import MstError, UnreadableScore
from mst_core.music import TICKS_PER_QUARTER, Melody, Meter
from mst_core.reading.abc.tune import AbcTune

CorpusLine = dict[str, Any]
"""One JSON object of a corpus file."""
LineEvents = Iterable[tuple[int | None, Fraction, Fraction]]
"""Pitch or None, onset and duration in quarter notes from 0, without a gap."""
MAX_BAR_QUARTERS = 1_000
"""Quarter notes."""


def make_line(
    heading: CorpusLine, events: LineEvents, bar_starts: Sequence[Fraction]
) -> CorpusLine:
    """Put the notes and bars behind a heading, times as exact fractions."""
    return heading | {
        "notes": [[pitch, str(onset), str(duration)] for pitch, onset, duration in events],
        "bars": len(bar_starts),
        "bar_starts": [str(start) for start in bar_starts],
    }


def line_from_abc(name: str, source: str, tune: AbcTune) -> CorpusLine:
    """A tune of an ABC file. Raises UnreadableScore when it has no meter."""
    if tune.meter is None:
        raise UnreadableScore("it has no meter", "a tune with bars is accepted")
    return FolkTune(name, source, tune).to_line()


def line_from_melody(name: str, source: str, title: str, melody: Melody) -> CorpusLine:
    """The melody of a MIDI or MusicXML file; of two endings the second is kept.

    Onset 0 is the first note's, or the first downbeat where there is no pickup.
    """
    pickup = melody.pickup
    left_out = [
        (melody.barlines[repeat.first_ending], melody.barlines[repeat.end] - repeat.lead_out)
        for repeat in melody.repeats
        if repeat.first_ending is not None and repeat.second_ending is not None
    ]
    notes = [
        (note.pitch, note.onset, note.duration)
        for note in melody.notes
        if not any(start <= note.onset < end for start, end in left_out)
    ]
    bars = [
        start
        for start in melody.barlines[:-1]
        if not any(begin <= start < end for begin, end in left_out)
    ]

    def shown(time: Fraction) -> Fraction:
        gone = sum((min(end, time) - start for start, end in left_out if start < time), Fraction(0))
        return time - gone + pickup

    placed = [(pitch, shown(onset), duration) for pitch, onset, duration in notes]
    return make_line(
        {
            "id": name,
            "title": title,
            "source": source,
            "tempo": round(melody.tempo, 1),
            "meter": str(melody.meter),
            "meter_changes": bool(melody.meter_changes),
            "key": f"{melody.key.tonic_name} {melody.key.mode}",
            "pickup": str(pickup),
            "bars_ok": not melody.meter_changes,
            "repeats_expanded": False,
        },
        _with_rests(placed, shown(melody.length)),
        [*([Fraction(0)] if pickup else []), *(shown(bar) for bar in bars)],
    )


def _with_rests(
    notes: Sequence[tuple[int, Fraction, Fraction]], end: Fraction
) -> Iterator[tuple[int | None, Fraction, Fraction]]:
    """Fill the gaps between notes, from 0 to the end, with rests."""
    place = Fraction(0)
    for pitch, onset, duration in notes:
        if onset > place:
            yield None, place, onset - place
        yield pitch, onset, duration
        place = onset + duration
    if end > place:
        yield None, place, end - place


def check_line(line: CorpusLine, *, min_notes: int) -> CorpusTune:
    """Read a line back as training will.

    Raises:
        UnreadableScore: when it holds fewer than that many notes, or bars that cannot be.
    """
    sounding = sum(pitch is not None for pitch, _, _ in line["notes"])
    if sounding < min_notes:
        raise UnreadableScore(f"it has {sounding} notes", f"{min_notes} and more are accepted")
    starts = [Fraction(start) for start in line["bar_starts"]]
    if any(not 0 < b - a <= MAX_BAR_QUARTERS for a, b in pairwise(starts)):
        raise UnreadableScore("it has a bar without an end", "plain meters are accepted")
    bar = Meter.parse(line["meter"]).bar_length * TICKS_PER_QUARTER
    if bar.denominator > 1:
        raise UnreadableScore(f"it is in {line['meter']}", "plain meters are accepted")
    try:
        return parse_tune(line)
    except (MstError, ValueError, IndexError, KeyError) as error:
        raise UnreadableScore(f"it makes no tune ({error})", "bars and notes are needed") from error


def write_lines(path: Path, lines: Iterable[CorpusLine]) -> None:
    """Write one JSON object a line, as `mst_core.corpora.tunes` reads them."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
