"""Gives a file bars where its meters are none: it names no meter, or makes each beat a bar.

Beat trackers and some transcribers write bars of 1/4; a file without any meter is in 4/4 by the
standard, even if it is a waltz. The search for bars, which needs numpy, is imported when a file
needs it, so that a parser process starts quickly.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mst_core.music import Meter
from mst_core.reading.midi.beat_notes import BeatNote, to_beat_notes
from mst_core.reading.midi.parts import MidiScore

_FEW_NOTES = 24
"""With fewer notes no meter is looked for."""
_CLEARLY = 1.0
"""Evidence for another meter than 4/4, beyond that for 4/4, from which it is believed."""
_CLEARLY_MORE = 1.15
"""Onsets in the middle of bars of three, against those on the second and third beat."""
_MOST = Fraction(4, 5)
"""Of the time of a file, from which its meters are those of most of it."""
_BEAT = Fraction(1)
"""Quarters of the longest bar that is only a beat."""


def repair_meter(score: MidiScore) -> tuple[MidiScore, tuple[str, ...]]:
    """Give a file without sensible bars those that fit its notes.

    Args:
        score: the file, its notes on its beats.

    Returns:
        The file, with other meters if its own are none; and a warning if so.
    """
    if sum(len(part.notes) for part in score.parts if not part.drums) < _FEW_NOTES:
        return score, ()
    if not score.meters:
        meter = _meter_without_a_name(score)
        if meter is None:
            return score, ()
        warning = f"The file names no meter; its notes fall into bars of {meter}."
        return replace(score, meters=((0, meter),)), (warning,)
    short = _beats_as_bars(score)
    if short is None:
        return score, ()
    from mst_core.reading.midi.meter_finding import find_bars

    guess = find_bars(_notes_in_beats(score, Fraction(1)))
    is_compound = (
        short.denominator > 4 and guess.beats == 3 and _halves_bars_of_three(score, guess.first)
    )
    meter = Meter(6, 8) if is_compound else Meter(guess.beats, 4)
    meters = [(0, meter)]
    if guess.first:
        meters = [
            (0, Meter(guess.first, 4)),
            (guess.first * score.ticks_per_quarter, meter),
        ]
    warning = f"The file makes each beat a bar of {short}; they were gathered into bars of {meter}."
    return replace(score, meters=tuple(meters)), (warning,)


def _beats_as_bars(score: MidiScore) -> Meter | None:
    """The meter of a beat that holds for most of the file; None where bars are longer."""
    end = max(note.end for part in score.parts for note in part.notes)
    ticks = [tick for tick, _ in score.meters]
    spans = zip(score.meters, [*ticks[1:], max(end, ticks[-1])], strict=True)
    held = sum(after - tick for (tick, meter), after in spans if meter.bar_length <= _BEAT)
    short = [meter for _, meter in score.meters if meter.bar_length <= _BEAT]
    return short[0] if short and held >= _MOST * (end - min(ticks[0], end)) else None


def _meter_without_a_name(score: MidiScore) -> Meter | None:
    """The meter of a file that names none, where it is clearly not 4/4."""
    from mst_core.reading.midi.meter_finding import find_bars

    common = find_bars(_notes_in_beats(score, Fraction(1)), named=4, first=0, certain=True)
    triple = find_bars(_notes_in_beats(score, Fraction(1)), named=3, first=0, certain=True)
    if triple.evidence <= common.evidence + _CLEARLY:
        return None
    return Meter(6, 8) if _halves_bars_of_three(score) else Meter(3, 4)


def _halves_bars_of_three(score: MidiScore, first: int = 0) -> bool:
    """Whether bars of three quarters are rather halved, as in 6/8, than made of three beats.

    A bar begins at quarter ``first``.
    """
    halves = thirds = 0
    for note in _notes_in_beats(score, Fraction(1)):
        place = round(2 * (note.onset - first)) % 6
        halves += place == 3
        thirds += place in (2, 4)
    return 2 * halves > _CLEARLY_MORE * thirds


def _notes_in_beats(score: MidiScore, beat: Fraction) -> list[BeatNote]:
    """All pitched notes, in beats of ``beat`` quarters from the start of the file."""
    ticks = float(beat * score.ticks_per_quarter)
    return to_beat_notes(score, lambda tick: tick / ticks)
