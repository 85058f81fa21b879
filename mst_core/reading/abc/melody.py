"""Makes a melody of an ABC tune: its measures in bars, every written note once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

from mst_core.errors import NoMelody
from mst_core.music import Melody, Note
from mst_core.reading.abc.tune import AbcMeasure, AbcTune, merge_ties
from mst_core.reading.bars import lay_out_bars
from mst_core.reading.measures import BarLayout, WrittenMeasure
from mst_core.reading.parsed_score import Limits

DEFAULT_TEMPO = 110.0
"""Quarter notes per minute of a tune without a Q: field."""


def lay_out_tune(tune: AbcTune, *, max_bars: int = Limits().bars) -> BarLayout:
    """Place the measures of a tune in bars.

    Args:
        tune: A tune with at least one measure.
        max_bars: Most bars.

    Returns:
        The places of its measures, and the bars, sections and repeats.

    Raises:
        TooLong: when there are more than ``max_bars`` bars.
    """
    return lay_out_bars(list(_written_measures(tune.measures)), max_bars=max_bars)


def build_melody(tune: AbcTune, layout: BarLayout | None = None) -> Melody:
    """Build the melody of a tune, every written note once and the repeats marked.

    Args:
        tune: A tune with at least one measure.
        layout: Its bars, from `lay_out_tune`; None to lay them out here.

    Returns:
        The melody, in quarter notes from the first downbeat.

    Raises:
        NoMelody: when it has fewer than two notes.
        TooLong: when it has more bars than a file may have.
    """
    layout = layout or lay_out_tune(tune)
    notes = _notes(tune.measures, layout)
    if len(notes) < 2:
        raise NoMelody("this ABC tune")
    return layout.melody(notes, key=tune.key, tempo=tune.tempo or DEFAULT_TEMPO)


def _written_measures(measures: Sequence[AbcMeasure]) -> list[WrittenMeasure]:
    """Name the signs of each measure as the layout of bars knows them."""
    endings: list[tuple[int, ...]] = [(), *(each.endings for each in measures), ()]
    written: list[WrittenMeasure] = []
    for measure, before, passes, after in zip(
        measures, endings, endings[1:], endings[2:], strict=False
    ):
        begins = bool(passes) and passes != before
        onsets = accumulate((note.duration for note in measure.notes), initial=Fraction(0))
        sounding = [
            onset
            for note, onset in zip(measure.notes, onsets, strict=False)
            if note.pitch is not None
        ]
        written.append(
            WrittenMeasure(
                length=measure.length,
                meter=measure.meter,
                last_onset=sounding[-1] if sounding else Fraction(0),
                opens_repeat=measure.opens_repeat,
                closes_repeat=measure.closes_repeat,
                # The bracket of an ending, as in [1, is no double bar.
                double_before=measure.starts_section and not begins,
                double_after=measure.ends_section and after in ((), passes),
                ending=passes if begins else (),
                ending_stops=bool(passes) and passes != after,
            )
        )
    return written


def _notes(measures: Sequence[AbcMeasure], layout: BarLayout) -> list[Note]:
    """The notes of placed measures; a tie holds only if no silence was put in between."""
    notes: list[Note] = []
    run: list[AbcMeasure] = []  # measures without silence between them
    start = end = Fraction(0)
    for index, onset, length in layout.placements:
        if run and onset != end:
            notes.extend(_notes_of_run(run, start, end))
            run = []
        if not run:
            start = onset
        run.append(measures[index])
        end = onset + length
        if length != measures[index].length:
            notes.extend(_notes_of_run(run, start, end))
            run = []
    notes.extend(_notes_of_run(run, start, end))
    return notes


def _notes_of_run(run: list[AbcMeasure], start: Fraction, end: Fraction) -> list[Note]:
    """The notes of consecutive measures from ``start`` to ``end``."""
    return [
        Note(start + event.onset, min(event.duration, end - start - event.onset), event.pitch)
        for event in merge_ties(run)
        if event.pitch is not None
    ]
