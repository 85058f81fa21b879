"""Corpus tunes: events on a grid of 24 ticks a quarter note, and their reader.

A line of a corpus file is a JSON object with ``id``, ``meter``, ``key``, ``notes`` (contiguous
``[pitch or null, onset, duration]``, times in quarter notes as exact fractions), ``bar_starts`` and
``pickup``; docs/corpus.md lists all fields. The grid holds triplets and thirty-second notes alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from mst_core.errors import BadOption, UnreadableScore
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Meter


@dataclass(frozen=True, slots=True)
class TuneEvent:
    """A note, or a rest with pitch None."""

    pitch: int | None
    """MIDI number."""
    onset: int
    """Ticks from the first downbeat; negative in a pickup."""
    duration: int
    """Ticks."""


@dataclass(frozen=True, slots=True)
class CorpusTune:
    """A tune as the networks use it: contiguous events, divided into bars."""

    id: str
    title: str
    meter: Meter
    key: Key | None
    events: tuple[TuneEvent, ...]
    barlines: tuple[int, ...]
    """Starts of the full bars in ticks; the first is 0, a pickup comes before it."""
    cluster: str = ""
    """Name shared by variants of a tune; empty where the corpus has no clusters."""
    bar_splits: tuple[int, ...] = ()
    """Ticks where a repeat sign inside a bar ends one section and begins another."""

    @property
    def bar_ticks(self) -> int:
        """Length of a bar of the meter, in ticks."""
        return int(self.meter.bar_length * TICKS_PER_QUARTER)

    @classmethod
    def from_melody(cls, melody: Melody) -> CorpusTune:
        """Round a melody to the grid; every note lasts a tick at least, and rests fill the gaps.

        Args:
            melody: a tune with at least one note.
        """
        events: list[TuneEvent] = []
        now = to_ticks(melody.notes[0].onset)
        for note in melody.notes:
            onset = max(now, to_ticks(note.onset))
            end = max(onset + 1, to_ticks(note.end))
            if onset > now:
                events.append(TuneEvent(None, now, onset - now))
            events.append(TuneEvent(note.pitch, onset, end - onset))
            now = end
        lines = tuple(to_ticks(line) for line in melody.barlines[:-1])
        return cls("", "", melody.meter, melody.key, tuple(events), lines)


def to_ticks(quarters: Fraction | str) -> int:
    """Round a time in quarter notes to the nearest tick."""
    return round(Fraction(quarters) * TICKS_PER_QUARTER)


def title_key(tune: CorpusTune) -> str:
    """Return the letters of a title without case and "the"; the id where none are left."""
    return re.sub(r"[^a-z]|\bthe\b", "", tune.title.lower()) or tune.id


def read_tunes(paths: Iterable[Path]) -> Iterator[CorpusTune]:
    """Read corpus files line by line.

    Raises:
        UnreadableScore: naming the file and line that is not a tune.
    """
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield parse_tune(json.loads(line))
                except (ValueError, KeyError, TypeError, IndexError, BadOption) as error:
                    raise UnreadableScore(
                        f"{path.name}, line {number} is not a tune ({error!r})",
                        "a corpus has one JSON object a line",
                    ) from error


def parse_tune(line: dict[str, Any]) -> CorpusTune:
    """Convert a decoded line to the grid; times are shifted so that the first full bar is at 0.

    Args:
        line: an object with at least ``id``, ``meter``, ``notes`` and ``bar_starts``.

    Raises:
        KeyError: and `BadOption`, IndexError, TypeError or ValueError, when it is no such object.
    """
    meter = Meter.parse(line["meter"])
    starts = [Fraction(start) for start in line["bar_starts"]]
    end = sum((Fraction(part) for part in line["notes"][-1][1:]), Fraction(0))
    barlines = full_bars(starts, end, meter.bar_length)
    first = barlines[0]
    splits = {start for start in starts if first < start < end} - set(barlines)
    events = []
    for pitch, onset, duration in line["notes"]:
        start, stop = Fraction(onset) - first, Fraction(onset) + Fraction(duration) - first
        ticks = to_ticks(stop) - to_ticks(start)
        if ticks > 0:
            events.append(TuneEvent(pitch, to_ticks(start), ticks))
    return CorpusTune(
        id=line["id"],
        title=line.get("title", ""),
        meter=meter,
        key=parse_key(line.get("key") or ""),
        events=tuple(events),
        barlines=tuple(to_ticks(start - first) for start in barlines),
        cluster=str(line.get("cluster") or ""),
        bar_splits=tuple(sorted(to_ticks(start - first) for start in splits)),
    )


def full_bars(starts: list[Fraction], end: Fraction, bar: Fraction) -> list[Fraction]:
    """Return the starts of full bars: parts of a split bar are joined, a pickup is left out.

    Args:
        starts: of every bar or part of one, ascending, in quarter notes.
        end: of the last event.
        bar: length of a bar of the meter.
    """
    starts = [start for start in starts if start < end] or [Fraction(0)]
    lengths = [after - start for start, after in zip(starts, [*starts[1:], end], strict=True)]
    joined: list[Fraction] = []
    index = 0
    while index < len(starts):
        if index == 0 and lengths[0] < bar and len(starts) > 1:
            index += 1  # the pickup
            continue
        joined.append(starts[index])
        split = index + 1 < len(starts) and lengths[index] + lengths[index + 1] == bar
        index += 2 if split else 1
    return joined


def parse_key(text: str) -> Key | None:
    """Parse a key as any of the corpora writes it (``Gmaj``, ``Bb-maj``, ``E- major``), or None."""
    flat = re.sub(r"^([A-G])-( |$)", r"\1b\2", text.strip())
    try:
        return Key.parse(flat) if flat else None
    except BadOption:
        return None
