"""Choosing among candidates: the one whose profile lies nearest to its model's.

Neither likelihood (which favours the bland) nor a classifier (which favours the alien) chooses:
candidates are sampled, and the nearest in intervals and rhythms to what one real tune of the style
does (`mst_core.composing.new_tune`) wins, if its joints are smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from mst_core.corpora.tunes import CorpusTune, TuneEvent
from mst_core.generation.form import FormPlan
from mst_core.generation.melody_writer import MelodyWriter
from mst_core.statistics.fingerprints import Fingerprints
from mst_core.statistics.reference_profiles import (
    TuneProfile,
    total_variation_distance,
    tune_profile,
)
from mst_core.statistics.repetition import MIN_NOTES, MIN_VARIATION_OVERLAP


def repeated_note_penalty(events: Sequence[TuneEvent]) -> float:
    """A penalty for a pitch that is hammered or a line that never leaves a few pitches."""
    pitches = [event.pitch for event in events if event.pitch is not None]
    longest = max((len(list(run)) for _, run in groupby(pitches)), default=0)
    few = len(set(pitches)) < 6
    return 0.1 * max(0, longest - 3) + 0.3 * few


def section_similarity_penalty(events: Sequence[TuneEvent], plan: FormPlan, bar: int) -> float:
    """A penalty for parts of different letters that begin alike: a new part should sound new.

    Bars are alike as far as the same pitches stand at the same places.
    """

    def begins(section: int) -> set[tuple[int | None, int]]:
        first = section * bar
        return {
            (event.pitch, event.onset - first)
            for event in events
            if first <= event.onset < first + bar
        }

    first_of = dict(zip(reversed(plan.form), reversed(plan.sections), strict=True))
    openings = [begins(section) for section in first_of.values()]
    alike = (
        len(one & other) / max(len(one), len(other), 1)
        for place, one in enumerate(openings)
        for other in openings[:place]
    )
    return 0.5 * sum(share for share in alike if share >= MIN_VARIATION_OVERLAP)


def unplanned_repetition_penalty(
    events: Sequence[TuneEvent], plan: FormPlan, bar: int, lead: int
) -> float:
    """A penalty for new or varied bars that repeat an earlier bar note for note.

    Networks that look back repeat more than the form asks: nine folk tunes in ten then repeated
    two bars, of real ones two in three.
    """
    bars: list[list[tuple[int | None, int, int]]] = [[] for _ in range(plan.bar_count)]
    for event in events:
        number, place = divmod(event.onset + lead, bar)
        bars[number].append((event.pitch, place, event.duration))
    new = [
        number
        for span in plan.spans
        if span.copies is None
        for number in range(span.first_bar, span.first_bar + span.bar_count)
    ]
    return 0.1 * sum(
        len(bars[number]) >= MIN_NOTES and bars[number] in bars[:number] for number in new
    )


def select_candidate(
    writers: Sequence[MelodyWriter],
    model: TuneProfile,
    bar: int,
    echoes: Fingerprints | None = None,
) -> MelodyWriter:
    """Take the candidate nearest to the melody language and the rhythm of a model.

    With the ``echoes`` of a style's tunes, one that shares an unusually long run with any of them
    is passed over, unless all do.
    """

    def strangeness(writer: MelodyWriter) -> float:
        events = writer.state.events
        ours = tune_profile(_tune(writer))
        return (
            total_variation_distance(ours.pitch, model.pitch)
            + total_variation_distance(ours.rhythm, model.rhythm)
            + 0.02 * writer.negative_log_likelihood
            + repeated_note_penalty(events)
            + section_similarity_penalty(events, writer.constraints.plan, bar)
            + unplanned_repetition_penalty(
                events, writer.constraints.plan, bar, writer.constraints.phrase_pickup
            )
        )

    ranked = sorted(writers, key=strangeness)
    if echoes is None:
        return ranked[0]
    own = (
        writer for writer in ranked if not echoes.longest_melody_run(_tune(writer)).is_suspicious
    )
    return next(own, ranked[0])


def _tune(writer: MelodyWriter) -> CorpusTune:
    heading = writer.constraints.header
    events = tuple(writer.state.events)
    return CorpusTune("", "", heading.meter, heading.key, events, heading.barlines)
