"""From an ABC tune to a melody: the written measures are laid on a grid of equal bars.

Measures that a repeat sign cuts in two meet again in one bar. A measure too short for the meter is
filled with silence, one too long takes as many bars as it needs, so that a barline of the file is
a barline of the melody.
"""

from __future__ import annotations

from fractions import Fraction

from mst_core.errors import NoMelody, UnreadableScore
from mst_core.music import Melody, Meter, Note
from mst_core.score.abc_tune import AbcTune, Measure, expand_repeats, merge_ties

DEFAULT_TEMPO = 110.0
FREE_METER = Meter(4, 4)


def lay_bars(tune: AbcTune, *, expand: bool, notes: int) -> Melody:
    """Make a melody of a tune: as it is played with its repeats where ``expand``, else as written.

    Raises:
        UnreadableScore: when the tune changes its meter.
        NoMelody: when fewer than two notes sound.
        TooLong: when the repeats make more than ``notes`` notes.
    """
    if tune.meter_changes:
        raise UnreadableScore(
            f"the meter changes from {tune.meter} to {tune.meter_changes[0][1]}",
            "a tune in one meter is accepted",
        )
    meter = tune.meter or FREE_METER
    measures = expand_repeats(tune.measures, notes) if expand else tune.measures
    places = _place(measures, meter.bar)
    melody = _notes(measures, places)
    if len(melody) < 2:
        raise NoMelody("this ABC tune")
    end = melody[-1].end
    bars = max(1, -(-end // meter.bar))
    sections = {0}
    for measure, place in zip(measures, places, strict=True):
        if measure.starts_section and place >= 0:
            sections.add(-(-place // meter.bar))
    return Melody(
        notes=tuple(melody),
        meter=meter,
        key=tune.key,
        tempo=tune.tempo or DEFAULT_TEMPO,
        bars=bars,
        sections=tuple(sorted(bar for bar in sections if bar < bars)),
    )


def _place(measures: tuple[Measure, ...], bar: Fraction) -> list[Fraction]:
    """Give each measure its onset; 0 is the first downbeat."""
    lengths = [measure.length for measure in measures]
    place = -_pickup(lengths, bar)
    places: list[Fraction] = []
    endings: tuple[int, ...] = ()  # of the measure before
    split = Fraction(0)  # where in the bar the endings of this strain begin
    for number, (measure, length) in enumerate(zip(measures, lengths, strict=True)):
        room = -place % bar  # up to the next barline; 0 on one
        following = lengths[number + 1] if number + 1 < len(lengths) else Fraction(0)
        if endings and measure.endings and measure.endings != endings:
            place += (split - place) % bar  # it goes on in the bar that the first ending split
        elif room and length > room:
            place += room
        elif not room and measure.starts_section and length < bar < length + following:
            place += bar - length  # the pickup of a strain stands at the end of its bar
        if measure.endings and not endings:
            split = place % bar
        endings = measure.endings
        places.append(place)
        place += length
    return places


def _pickup(lengths: list[Fraction], bar: Fraction) -> Fraction:
    """Length of the measures before the first downbeat, where they make no full bar."""
    pickup = Fraction(0)
    for length in lengths:
        if pickup + length > bar:
            return pickup % bar
        pickup += length
    return Fraction(0)  # not even one bar: it begins on the downbeat


def _notes(measures: tuple[Measure, ...], places: list[Fraction]) -> list[Note]:
    """Put the notes of the measures in their places; ties hold only where nothing lies between."""
    notes: list[Note] = []
    run: list[Measure] = []
    start = end = Fraction(0)
    for measure, place in zip(measures, places, strict=True):
        if run and place != end:
            notes.extend(_sounding(run, start))
            run = []
        if not run:
            start = end = place
        run.append(measure)
        end += measure.length
    notes.extend(_sounding(run, start))
    return notes


def _sounding(run: list[Measure], start: Fraction) -> list[Note]:
    return [
        Note(start + event.onset, event.duration, event.pitch)
        for event in merge_ties(run)
        if event.pitch is not None
    ]
