"""Lines of a corpus file (JSON Lines), made from tunes of any source: see docs/corpus.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from mst_core.corpora.tunes import CorpusTune, parse_tune
from mst_core.errors import BadOption, MstError, UnreadableScore
from mst_core.music import TICKS_PER_QUARTER, Melody, Meter
from mst_core.reading.abc.tune import AbcTune

CorpusLine = dict[str, Any]
"""One JSON object of a corpus file."""
MAX_BAR_QUARTERS = 1_000
"""A longer bar is refused, in quarter notes."""


def make_line(
    fields: CorpusLine,
    events: Iterable[tuple[int | None, Fraction, Fraction]],
    bar_starts: Sequence[Fraction],
) -> CorpusLine:
    """Add notes and bars to the other fields of a line, times as exact fractions.

    Args:
        fields: the fields that do not depend on notes, such as ``id`` and ``meter``.
        events: (MIDI number or None for a rest, onset, duration), times in quarter notes from the
            start of the line.
        bar_starts: onsets of all bars in quarter notes, ascending.

    Returns:
        A new object with ``notes``, ``bars`` and ``bar_starts`` as well.
    """
    return fields | {
        "notes": [[pitch, str(onset), str(duration)] for pitch, onset, duration in events],
        "bars": len(bar_starts),
        "bar_starts": [str(start) for start in bar_starts],
    }


def line_from_abc(name: str, source: str, tune: AbcTune) -> CorpusLine:
    """Convert a tune of an ABC file; `name` becomes its id.

    Args:
        name: the id, unique in the corpus.
        source: where the tune comes from, as shown to people.
        tune: the parsed tune.

    Raises:
        UnreadableScore: when it has no meter.
    """
    if tune.meter is None:
        raise UnreadableScore("it has no meter", "a tune with bars is accepted")
    fields = {
        "id": name,
        "title": tune.title,
        "source": source,
        "rhythm": tune.rhythm,
        "meter": str(tune.meter),
        "meter_changes": bool(tune.meter_changes),
        "key": tune.key_name,
        "pickup": str(tune.pickup),
        "bars_ok": not tune.irregular_measures,
        "repeats_expanded": False,
    }
    events = [(event.pitch, event.onset, event.duration) for event in tune.events]
    return make_line(fields, events, tune.measure_onsets)


def line_from_melody(name: str, source: str, title: str, melody: Melody) -> CorpusLine:
    """Convert the melody of a MIDI or MusicXML file; of two endings the second is kept.

    Onset 0 is that of the first note, or of the first downbeat where there is no pickup.

    Args:
        name: the id, unique in the corpus.
        source: where the tune comes from, as shown to people.
        title: title of the tune; may be empty.
        melody: the notes, with onsets in quarter notes.
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

    def shifted(time: Fraction) -> Fraction:
        removed = sum(
            (min(end, time) - start for start, end in left_out if start < time), Fraction(0)
        )
        return time - removed + pickup

    events = [(pitch, shifted(onset), duration) for pitch, onset, duration in notes]
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
        _with_rests(events, shifted(melody.length)),
        [*([Fraction(0)] if pickup else []), *(shifted(bar) for bar in bars)],
    )


def _with_rests(
    notes: Sequence[tuple[int, Fraction, Fraction]], end: Fraction
) -> Iterator[tuple[int | None, Fraction, Fraction]]:
    """Fill the gaps between notes, from 0 to the end, with rests."""
    now = Fraction(0)
    for pitch, onset, duration in notes:
        if onset > now:
            yield None, now, onset - now
        yield pitch, onset, duration
        now = onset + duration
    if end > now:
        yield None, now, end - now


def check_line(line: CorpusLine, *, min_notes: int) -> CorpusTune:
    """Parse a line as training will.

    Args:
        line: an object of a corpus.
        min_notes: how many notes the tune must have at least; rests do not count.

    Returns:
        The tune on the grid of ticks.

    Raises:
        UnreadableScore: when it has fewer than ``min_notes`` notes, no meter, or impossible bars.
    """
    sounding = sum(pitch is not None for pitch, _, _ in line["notes"])
    if sounding < min_notes:
        raise UnreadableScore(f"it has {sounding} notes", f"{min_notes} and more are accepted")
    starts = [Fraction(start) for start in line["bar_starts"]]
    if any(not 0 < b - a <= MAX_BAR_QUARTERS for a, b in pairwise(starts)):
        raise UnreadableScore("it has a bar without an end", "plain meters are accepted")
    try:
        bar = Meter.parse(line["meter"]).bar_length * TICKS_PER_QUARTER
    except BadOption as error:
        raise UnreadableScore(f"it is in {line['meter']}", "plain meters are accepted") from error
    if bar.denominator > 1:
        raise UnreadableScore(f"it is in {line['meter']}", "plain meters are accepted")
    try:
        return parse_tune(line)
    except (MstError, ValueError, IndexError, KeyError) as error:
        raise UnreadableScore(f"it makes no tune ({error})", "bars and notes are needed") from error


def write_lines(path: Path, lines: Iterable[CorpusLine]) -> None:
    """Write one JSON object a line.

    Args:
        path: the file to write; one that is there is replaced.
        lines: the tunes of the corpus, in the order of the file.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
