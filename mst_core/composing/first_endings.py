"""First endings: a repeated part's last bar the first time, which leads back to its beginning.

A new tune is generated as it is played the second time, as the corpora have it. A first ending is
another last bar from the same networks, after the same notes. Times are ticks from the first
downbeat of the tune without first endings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from mst_core.corpora.tunes import TuneEvent
from mst_core.errors import NoSuchTune
from mst_core.generation.candidates import write_candidates
from mst_core.generation.form import FormPlan, FormSpan
from mst_core.generation.melody_writer import MelodyWriter
from mst_core.generation.meter_model import MeterModel
from mst_core.music import TICKS_PER_QUARTER, Repeat
from mst_core.networks.style import Style


def write_first_endings(
    tune: MelodyWriter, model: MeterModel, style: Style, seed: int
) -> Mapping[int, Sequence[TuneEvent]]:
    """Draw which parts of a dance get a first ending, and generate it.

    Args:
        tune: the complete tune.
        model: its meter, for the numbers of notes that a bar may have.
        style: whose networks continue each part.
        seed: of the tune.

    Returns:
        The notes and rests of each ending by the end bar (exclusive) of its part; none for a tune
        that repeats no part.
    """
    plan, config = tune.constraints.plan, tune.constraints.config
    if not plan.repeated:
        return {}
    rng = np.random.default_rng((seed, 3))
    found: dict[int, Sequence[TuneEvent]] = {}
    for index, (start, end) in enumerate(pairwise((*plan.sections, plan.bar_count))):
        if rng.random() < config.second_ending_probability:
            ending = _write_ending(tune, model, style, (seed, 3, index), start, end)
            if ending:
                found[end] = ending
    return found


def _write_ending(
    tune: MelodyWriter,
    model: MeterModel,
    style: Style,
    seed: tuple[int, ...],
    start: int,
    end: int,
) -> Sequence[TuneEvent]:
    """Return a first ending of the part from bar ``start`` to ``end``; empty where none fits."""
    constraints, events = tune.constraints, tune.state.events
    bar, pickup = constraints.lattice.bar_ticks, constraints.phrase_pickup
    line = (end - 1) * bar
    if any(event.onset < line < event.onset + event.duration for event in events):
        return ()
    before = tuple(event for event in events if event.onset < line)
    notes_before = sum(e.pitch is not None and e.onset < line - pickup for e in before)
    constraints = replace(
        constraints,
        plan=FormPlan("A", (0,), constraints.plan.bar_count, (FormSpan(0, end),)),
        note_counts=(model.note_counts(FormSpan(end - 1, 1)) << notes_before,),
        fixed_rhythms=(before,),
    )
    count = constraints.config.ending_candidate_count
    try:
        writers = write_candidates(constraints, style.model, seed, count=count)
    except NoSuchTune:  # the notes before the bar leave none that can be filled
        return ()
    last_bar = _pitches_from(events, line, end * bar - pickup)
    back_to = _pitches_from(events, start * bar - pickup, end * bar)[0]
    return min(
        (tuple(e for e in w.state.events if e.onset >= line) for w in writers),
        key=lambda ending: _ending_cost(ending, last_bar, back_to),
    )


def _pitches_from(events: Sequence[TuneEvent], start: int, end: int) -> list[int]:
    """The MIDI numbers of the notes that begin between two ticks."""
    return [e.pitch for e in events if start <= e.onset < end and e.pitch is not None]


def _ending_cost(
    ending: Sequence[TuneEvent], last_bar: Sequence[int], back_to: int
) -> tuple[bool, int]:
    """Order endings: one that differs from the second ending, then the nearest to what follows."""
    pitches = [event.pitch for event in ending if event.pitch is not None]
    return pitches == list(last_bar) or not pitches, abs(pitches[-1] - back_to) if pitches else 0


def insert_first_endings(
    events: Sequence[TuneEvent], endings: Mapping[int, Sequence[TuneEvent]], bar_ticks: int
) -> list[TuneEvent]:
    """Return the notes as they are written: each first ending before the bar that replaces it.

    Args:
        events: of the tune without first endings.
        endings: the first endings by the end bar of their part.
        bar_ticks: length of a bar.
    """
    written: list[TuneEvent] = []
    lines = [(end - 1) * bar_ticks for end in sorted(endings)]
    for event in events:
        shift = bar_ticks * sum(line <= event.onset for line in lines)
        written.append(replace(event, onset=event.onset + shift))
    for earlier, end in enumerate(sorted(endings)):
        written += (
            replace(event, onset=event.onset + earlier * bar_ticks) for event in endings[end]
        )
    return sorted(written, key=lambda event: event.onset)


def list_repeats(
    plan: FormPlan, endings: Mapping[int, Sequence[TuneEvent]], phrase_pickup: int
) -> tuple[Repeat, ...]:
    """Return the repeats of a dance in written bars.

    Args:
        plan: the form of the tune without first endings.
        endings: the first endings by the end bar of their part.
        phrase_pickup: ticks by which every part begins before its barline.

    Returns:
        One repeat for each section; none where the plan repeats none.
    """
    if not plan.repeated:
        return ()
    lead = Fraction(phrase_pickup, TICKS_PER_QUARTER)
    repeats: list[Repeat] = []
    shift = 0
    for start, end in pairwise((*plan.sections, plan.bar_count)):
        first, after = start + shift, end + shift
        if end in endings:
            repeats.append(Repeat(first, after, after - 1, after + 1, lead, lead))
            shift += 1
        else:
            repeats.append(Repeat(first, after, lead_in=lead, lead_out=lead))
    return tuple(repeats)
