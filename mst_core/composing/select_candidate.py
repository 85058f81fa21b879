"""Choosing among candidates: the one whose profile lies nearest to its model's.

Neither likelihood (which favours the bland) nor a classifier (which favours the alien) chooses:
candidates are sampled, and the nearest in intervals and rhythms to what one real tune of the style
does (`mst_core.composing.new_tune`) wins, if its joints are smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from mst_core.corpora.tunes import CorpusTune, Event
from mst_core.generation.form import Plan
from mst_core.generation.melody_writer import LineWriter
from mst_core.statistics.fingerprints import Echoes
from mst_core.statistics.reference_profiles import Profiles, distance, profiles_of
from mst_core.statistics.repetition import FEWEST_NOTES, VARIED


def monotony(events: Sequence[Event]) -> float:
    """A penalty for a pitch that is hammered or a line that never leaves a few pitches."""
    pitches = [event.pitch for event in events if event.pitch is not None]
    longest = max((len(list(run)) for _, run in groupby(pitches)), default=0)
    few = len(set(pitches)) < 6
    return 0.1 * max(0, longest - 3) + 0.3 * few


def sameness(events: Sequence[Event], plan: Plan, bar: int) -> float:
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
    return 0.5 * sum(share for share in alike if share >= VARIED)


def unplanned(events: Sequence[Event], plan: Plan, bar: int, lead: int) -> float:
    """A penalty for new or varied bars that repeat an earlier bar note for note.

    Networks that look back repeat more than the form asks: nine folk tunes in ten then repeated
    two bars, of real ones two in three.
    """
    bars: list[list[tuple[int | None, int, int]]] = [[] for _ in range(plan.bars)]
    for event in events:
        number, place = divmod(event.onset + lead, bar)
        bars[number].append((event.pitch, place, event.duration))
    new = [
        number
        for span in plan.spans
        if span.source is None
        for number in range(span.first, span.first + span.bars)
    ]
    return 0.1 * sum(
        len(bars[number]) >= FEWEST_NOTES and bars[number] in bars[:number] for number in new
    )


def choose(
    writers: Sequence[LineWriter], model: Profiles, bar: int, echoes: Echoes | None = None
) -> LineWriter:
    """Take the candidate nearest to the melody language and the rhythm of a model.

    With the ``echoes`` of a style's tunes, one that shares an unusually long run with any of them
    is passed over, unless all do.
    """

    def strangeness(writer: LineWriter) -> float:
        events = writer.line.events
        ours = profiles_of(_tune(writer))
        return (
            distance(ours.melody, model.melody)
            + distance(ours.rhythm, model.rhythm)
            + 0.02 * writer.surprise
            + monotony(events)
            + sameness(events, writer.frame.plan, bar)
            + unplanned(events, writer.frame.plan, bar, writer.frame.lead)
        )

    ranked = sorted(writers, key=strangeness)
    if echoes is None:
        return ranked[0]
    own = (writer for writer in ranked if not echoes.longest_melody(_tune(writer)).unusual)
    return next(own, ranked[0])


def _tune(writer: LineWriter) -> CorpusTune:
    heading = writer.frame.heading
    events = tuple(writer.line.events)
    return CorpusTune("", "", heading.meter, heading.key, events, heading.barlines)
