"""Selecting one candidate: the one whose profile is nearest to that of the reference tune.

Likelihood would favour bland candidates and a style classifier atypical ones. So the cost of a
candidate is the distance of its interval and rhythm histograms from those of one real tune of the
style (`mst_core.composing.reference_tune`), plus penalties for improbable joins, repeated pitches
and repetition that the form did not plan.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby

from mst_core.corpora.tunes import CorpusTune, TuneEvent
from mst_core.generation.config import GenerationConfig
from mst_core.generation.form import FormPlan
from mst_core.generation.melody_writer import MelodyWriter
from mst_core.music import TICKS_PER_QUARTER, Note
from mst_core.reading.key_finding import find_key
from mst_core.statistics.fingerprints import Fingerprints
from mst_core.statistics.reference_profiles import (
    TuneProfile,
    total_variation_distance,
    tune_profile,
)


def select_candidate(
    writers: Sequence[MelodyWriter],
    reference: TuneProfile,
    fingerprints: Fingerprints | None = None,
) -> MelodyWriter:
    """Return the candidate with the lowest cost.

    Args:
        writers: complete candidates of one tune, at least one.
        reference: the profile to resemble.
        fingerprints: of the style's training tunes. A candidate that shares an unusually long run
            of notes with one of them is passed over, unless all do.
    """
    ranked = sorted(writers, key=lambda writer: _cost(writer, reference))
    if fingerprints is None:
        return ranked[0]
    original = (
        writer
        for writer in ranked
        if not fingerprints.longest_melody_run(_to_tune(writer)).is_suspicious
    )
    return next(original, ranked[0])


def _cost(writer: MelodyWriter, reference: TuneProfile) -> float:
    """Return distance plus penalties, from 0 (best); each histogram's distance is 0 to 1."""
    events, constraints = writer.state.events, writer.constraints
    config, bar_ticks = constraints.config, constraints.lattice.bar_ticks
    profile = tune_profile(_to_tune(writer))
    return (
        total_variation_distance(profile.pitch, reference.pitch)
        + total_variation_distance(profile.rhythm, reference.rhythm)
        + config.likelihood_weight * writer.negative_log_likelihood
        + repeated_note_penalty(events, config)
        + section_similarity_penalty(events, constraints.plan, bar_ticks, config)
        + unplanned_repetition_penalty(
            events, constraints.plan, bar_ticks, constraints.phrase_pickup, config
        )
        + leaping_cadence_penalty(
            events, constraints.plan, bar_ticks, constraints.phrase_pickup, config
        )
        + _pitch_penalty(writer)
    )


def _pitch_penalty(writer: MelodyWriter) -> float:
    """Return the cost of another compass than the drawn one, and of notes that deny the key."""
    constraints = writer.constraints
    config = constraints.config
    pitches = [event.pitch for event in writer.state.events if event.pitch is not None]
    scale = constraints.key.scale
    outside = sum(pitch % 12 not in scale for pitch in pitches) / len(pitches)
    compass = max(pitches) - min(pitches)
    wanted = compass if constraints.compass is None else constraints.compass
    return (
        config.compass_weight * abs(compass - wanted)
        + config.outside_penalty * max(0.0, outside - constraints.outside_share)
        + config.other_key_penalty * (not _is_in_key(writer))
    )


def _is_in_key(writer: MelodyWriter) -> bool:
    """Whether the key that fits the notes best has the tonic and the third of the wanted one."""
    key = writer.constraints.key
    quarter = TICKS_PER_QUARTER
    found = find_key(
        [
            Note(Fraction(event.onset, quarter), Fraction(event.duration, quarter), event.pitch)
            for event in writer.state.events
            if event.pitch is not None
        ]
    )
    return (found.tonic, found.is_minor) == (key.tonic, key.is_minor)


def leaping_cadence_penalty(
    events: Sequence[TuneEvent],
    plan: FormPlan,
    bar_ticks: int,
    phrase_pickup: int,
    config: GenerationConfig = GenerationConfig(),
) -> float:
    """Return the penalty for cadences whose last note is reached by a leap.

    The last note is chosen among stable pitches, so that nothing leads to it unless a candidate is
    selected in which something does.

    Args:
        events: of the candidate.
        plan: its form; cadences that are copied cost nothing.
        bar_ticks: length of a bar.
        phrase_pickup: ticks by which bars are taken to begin before their barline.
        config: `leaping_cadence_penalty` for each interval beyond `max_final_step`.
    """
    ends = {
        (span.first_bar + span.bar_count) * bar_ticks - phrase_pickup
        for span in plan.spans
        if span.cadence and span.copies is None
    }
    notes = [(event.onset, event.pitch) for event in events if event.pitch is not None]
    last_notes = [bisect_left(notes, (end,)) - 1 for end in ends]
    leaps = sum(
        abs(notes[last][1] - notes[last - 1][1]) > config.max_final_step
        for last in last_notes
        if last > 0
    )
    return config.leaping_cadence_penalty * leaps


def repeated_note_penalty(
    events: Sequence[TuneEvent], config: GenerationConfig = GenerationConfig()
) -> float:
    """Return the penalty for a long run of one pitch and for very few distinct pitches.

    Args:
        events: the events of a candidate; rests do not end a run.
        config: the penalties, and the numbers of notes from which they hold.

    Returns:
        The addend to the candidate's cost, 0 or more; 0 for a tune with neither fault.
    """
    pitches = [event.pitch for event in events if event.pitch is not None]
    longest = max((len(list(run)) for _, run in groupby(pitches)), default=0)
    is_monotonous = len(set(pitches)) < config.min_distinct_pitches
    return (
        config.repeated_note_penalty * max(0, longest - config.max_repeated_notes)
        + config.few_pitches_penalty * is_monotonous
    )


def section_similarity_penalty(
    events: Sequence[TuneEvent],
    plan: FormPlan,
    bar_ticks: int,
    config: GenerationConfig = GenerationConfig(),
) -> float:
    """Return the penalty for sections of different letters whose first bars are alike.

    Args:
        events: of the candidate.
        plan: its form.
        bar_ticks: length of a bar.
        config: `section_similarity_penalty` for each unit of overlap. The overlap of two bars is
            the share of equal (pitch, position) pairs, 0 to 1; small ones cost nothing.
    """

    def first_bar(section: int) -> set[tuple[int | None, int]]:
        start = section * bar_ticks
        return {
            (event.pitch, event.onset - start)
            for event in events
            if start <= event.onset < start + bar_ticks
        }

    first_of = dict(zip(reversed(plan.form), reversed(plan.sections), strict=True))
    openings = [first_bar(section) for section in first_of.values()]
    overlaps = (
        len(one & other) / max(len(one), len(other), 1)
        for index, one in enumerate(openings)
        for other in openings[:index]
    )
    return config.section_similarity_penalty * sum(
        overlap for overlap in overlaps if overlap >= config.min_variation_overlap
    )


def unplanned_repetition_penalty(
    events: Sequence[TuneEvent],
    plan: FormPlan,
    bar_ticks: int,
    phrase_pickup: int,
    config: GenerationConfig = GenerationConfig(),
) -> float:
    """Return the penalty for generated bars that equal an earlier bar note for note.

    Networks that look back repeat more than the form plans (docs/decisions.md#variation).

    Args:
        events: of the candidate.
        plan: its form; copied spans cost nothing.
        bar_ticks: length of a bar.
        phrase_pickup: ticks by which bars are taken to begin before their barline.
        config: `unplanned_repetition_penalty` for each bar.
    """
    bars: list[list[tuple[int | None, int, int]]] = [[] for _ in range(plan.bar_count)]
    for event in events:
        bar, position = divmod(event.onset + phrase_pickup, bar_ticks)
        bars[bar].append((event.pitch, position, event.duration))
    generated = [
        bar
        for span in plan.spans
        if span.copies is None
        for bar in range(span.first_bar, span.first_bar + span.bar_count)
    ]
    return config.unplanned_repetition_penalty * sum(
        len(bars[bar]) >= config.min_bar_notes and bars[bar] in bars[:bar] for bar in generated
    )


def _to_tune(writer: MelodyWriter) -> CorpusTune:
    """Return a candidate in the form in which profiles and fingerprints are computed."""
    header = writer.constraints.header
    events = tuple(writer.state.events)
    return CorpusTune("", "", header.meter, header.key, events, header.barlines)
