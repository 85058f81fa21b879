"""Naturalness: what a player notices in a tune, as numbers that are compared with real tunes.

Every number is a share of the tune's own notes, bars or barlines, or a count, so that tunes of
different lengths and meters compare. They need no model and no other tune.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

from mst_core.corpora.tunes import CorpusTune, TuneEvent, to_ticks
from mst_core.evaluation.phrases import notes_of_bars
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Note
from mst_core.reading.key_finding import find_key
from mst_core.statistics.style_statistics import ENTROPY_WINDOW_NOTES, duration_entropy
from mst_core.transfer.meter_map import time_map

SIXTEENTH, EIGHTH = TICKS_PER_QUARTER // 4, TICKS_PER_QUARTER // 2
PHRASE_BARS = 4
"""Bars from one phrase end to the next."""
LEAP = 5
"""Semitones of a fourth, the smallest interval that counts as a leap."""
WHOLE_TUNE = ("has pickup", "final leap", "final tonic")
"""Columns that need the beginning or the end of a tune: a passage of it has another. The last note
of a new jazz line is compared with that of passages: it ends as a chorus does, not as a record."""
LONG = 2
"""A note ends a phrase that lasts this many times the tune's median duration."""


def rhythm_naturalness(tune: CorpusTune) -> dict[str, float | None]:
    """Compute the columns that need no pitches.

    Args:
        tune: with bars of one length and at least one note.

    Returns:
        By name; None where it is undefined. ``entropy``: of durations, in bits, None below 64
        notes. ``short``: share of notes shorter than a sixteenth. ``syncopated``: share of notes
        that begin between beats and sound into the next beat. ``held``: share of the inner
        barlines that a note is held over. ``sounded``: share of them with an onset. ``distinct``:
        different bar rhythms (onsets and durations), divided by the bars with notes. ``density``:
        notes a bar. ``eighths``: most eighths in a row, without a rest. ``rests``: share of the
        time that is silent. ``breath``: share of the four-bar phrases that end with a rest of an
        eighth or more, or with a long note. ``has pickup``: 1 with a pickup, else 0. ``final off
        beat``: 1 where the last note begins between beats, else 0. ``final short``: 1 where it is
        shorter than a quarter, else 0.
    """
    notes = _notes(tune)
    beat = to_ticks(tune.meter.beat_length)
    lines = tune.barlines[1:]
    onsets = {note.onset for note in notes}
    held = {line for note in notes for line in _inside(lines, note)}
    bars = [tuple(note[:2] for note in bar) for bar in notes_of_bars(tune) if bar]
    durations = [note.duration for note in notes]
    silence = sum(after.onset - note.onset - note.duration for note, after in pairwise(notes))
    last = notes[-1]
    return {
        "entropy": duration_entropy(durations) if len(notes) >= ENTROPY_WINDOW_NOTES else None,
        "short": _mean([duration < SIXTEENTH for duration in durations]),
        "syncopated": _mean(
            [
                (offset := _after_barline(tune, note.onset) % beat) > 0
                and offset + note.duration > beat
                for note in notes
            ]
        ),
        "held": _mean([line in held for line in lines]),
        "sounded": _mean([line in onsets for line in lines]),
        "distinct": len(set(bars)) / len(bars) if bars else None,
        "density": sum(map(len, bars)) / max(1, len(tune.barlines)),
        "eighths": float(_longest_run_of_eighths(notes)),
        "rests": silence / max(1, last.onset + last.duration - notes[0].onset),
        "breath": _breaths(tune, notes),
        "has pickup": float(notes[0].onset < 0),
        "final off beat": float(_after_barline(tune, last.onset) % beat > 0),
        "final short": float(last.duration < TICKS_PER_QUARTER),
    }


def melody_naturalness(tune: CorpusTune) -> dict[str, float | None]:
    """Compute the columns of new tunes that need pitches, or the whole tune.

    Args:
        tune: with at least two notes and a key.

    Returns:
        By name; None where it is undefined. ``final leap``: 1 where the last interval is a fourth
        or more, else 0. ``final tonic``: 1 where the last note is the tonic. ``final long``: 1
        where the last note lasts half a bar or more. ``compass``: semitones from the lowest to the
        highest note.
        ``repeats``: share of the two-bar phrases (bars 1-2, 3-4 and so on) that repeat an earlier
        one note for note. ``leading``: in a minor key, share of its sevenths that are raised.
        ``key``: 1 where the major or minor key that fits the notes best has the tonic and the
        third of the key that the tune names.
    """
    notes = _notes(tune)
    pitches = [note.pitch or 0 for note in notes]
    bars = notes_of_bars(tune)
    phrases = [tuple(bars[first : first + 2]) for first in range(0, len(bars) - 1, 2)]
    tonic = None if tune.key is None else tune.key.tonic
    sevenths = [(pitch - (tonic or 0)) % 12 for pitch in pitches]
    is_minor = tune.key is not None and tune.key.mode == "minor"
    n_sevenths = sevenths.count(10) + sevenths.count(11)
    return {
        "final leap": float(len(pitches) > 1 and abs(pitches[-1] - pitches[-2]) >= LEAP),
        "final tonic": None if tonic is None else float(pitches[-1] % 12 == tonic),
        "final long": float(2 * notes[-1].duration >= tune.bar_ticks),
        "compass": float(max(pitches) - min(pitches)),
        "repeats": _mean([phrase in phrases[:index] for index, phrase in enumerate(phrases)]),
        "leading": sevenths.count(11) / n_sevenths if is_minor and n_sevenths else None,
        "key": None if tune.key is None else float(_fits_key(tune.key, notes)),
    }


def keeps_last_note(before: Melody, after: Melody) -> bool:
    """Whether the last note keeps its beat and its length, moved to the bars of the new meter.

    Args:
        before: the original, with at least one note.
        after: a transfer of it, with as many notes; counted from the end, its bars are compared.
    """
    first, last = before.notes[-1], after.notes[-1]
    old, new = before.meter_at(before.bar_count - 1), after.meter_at(after.bar_count - 1)
    move = time_map(old, new)
    onset = first.onset - before.length + before.bar_count * old.bar_length
    moved = move(onset), move(onset + first.duration)
    shift = after.length - after.bar_count * new.bar_length
    return (last.onset - shift, last.end - shift) == moved


def _notes(tune: CorpusTune) -> list[TuneEvent]:
    return [event for event in tune.events if event.pitch is not None]


def _fits_key(key: Key, notes: Sequence[TuneEvent]) -> bool:
    found = find_key(
        [
            Note(
                Fraction(note.onset, TICKS_PER_QUARTER),
                Fraction(note.duration, TICKS_PER_QUARTER),
                note.pitch or 0,
            )
            for note in notes
        ]
    )
    return (found.tonic, found.is_minor) == (key.tonic, key.is_minor)


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _after_barline(tune: CorpusTune, tick: int) -> int:
    """Ticks from the last barline to ``tick``; in a pickup from where that barline would be."""
    index = bisect_right(tune.barlines, tick) - 1
    return tick - tune.barlines[index] if index >= 0 else tick % tune.bar_ticks


def _inside(lines: Sequence[int], note: TuneEvent) -> Sequence[int]:
    """The barlines at which a note sounds that began before them."""
    first = bisect_right(lines, note.onset)
    return lines[first : bisect_right(lines, note.onset + note.duration - 1)]


def _longest_run_of_eighths(notes: Sequence[TuneEvent]) -> int:
    longest = run = 0
    end = notes[0].onset
    for note in notes:
        run = (run if note.onset == end else 0) + 1 if note.duration == EIGHTH else 0
        end = note.onset + note.duration
        longest = max(longest, run)
    return longest


def _breaths(tune: CorpusTune, notes: Sequence[TuneEvent]) -> float | None:
    """Share of the phrases before the last that end with a rest or a long note."""
    usual = median(note.duration for note in notes)
    onsets = [note.onset for note in notes]
    found = []
    for line in tune.barlines[PHRASE_BARS::PHRASE_BARS]:
        after = bisect_right(onsets, line - 1)
        # A pickup of up to half a bar belongs to the phrase after it.
        ends = range(max(1, bisect_right(onsets, line - tune.bar_ticks // 2 - 1)), after + 1)
        found.append(
            any(
                notes[index - 1].duration >= LONG * usual
                or (
                    index < len(notes)
                    and notes[index].onset - notes[index - 1].onset - notes[index - 1].duration
                    >= EIGHTH
                )
                for index in ends
            )
        )
    return _mean(found)
