"""A new tune, from what is decided before its first note to its last.

Meter, key, tempo and form are drawn by the seed from the style's card. With one style its pair
writes pitches and rhythm together. With two, as in Pati's article, the first style's pair writes a
tune, and the second style's duration network then writes a new rhythm over its pitches, so that
form and bars stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.composing.select_candidate import choose
from mst_core.corpora.tunes import TICKS, Event
from mst_core.corpora.vocabulary import OCTAVE, REST, DurationDictionary
from mst_core.errors import BadOption, NoSuchTune
from mst_core.generation.candidates import write_candidates
from mst_core.generation.composition import Composition
from mst_core.generation.form import Plan, Span, plan_form
from mst_core.generation.melody_writer import Frame, LineWriter, pitches_by_bar
from mst_core.generation.meter_model import Ground, draw_weighted
from mst_core.generation.rhythm_lattice import Counts
from mst_core.jobs import Compose
from mst_core.music import Key, Melody, Meter, Note
from mst_core.networks.context import Heading
from mst_core.networks.style import Style
from mst_core.statistics.fingerprints import Echoes
from mst_core.statistics.reference_profiles import FEWEST, PLACE, Profiles

# The model of a new tune: what one real tune of the style does, counted without its order.
#
# Candidates chosen by the mean of a style are all alike, and like no tune: of the notes of 60 folk
# tunes .61 were eighths and .01 dotted (real .50 and .07), for a dotted tune is far from the
# mean. So
# each new tune has one of the style's up to 50 neighbours of its meter as its model. The candidate
# nearest to it is chosen: folk's note values then are .9 times as far from real ones as two
# halves of
# the real are apart, instead of 1.6 times. And duration networks lean to its note values: jazz's
# 720
# candidates are 1.0 times as far, instead of 2.8 (with `ground.USUAL`). Only counts are known of a
# model, not their order.


def draw_model(style: Style, meter: Meter, rng: np.random.Generator) -> Profiles:
    """Draw one of the style's neighbours; where there are few, take all its tunes together."""
    company = style.neighbours.company(meter) if style.neighbours else None
    if company is None:
        return _habitual(style, meter)
    if len(company.single) < FEWEST:
        return company.together
    return company.single[rng.integers(len(company.single))]


def _habitual(style: Style, meter: Meter) -> Profiles:
    rhythms, intervals = style.habits.meters[str(meter)].rhythms, style.habits.intervals[:REST]
    return Profiles(
        {rhythm.place * PLACE + rhythm.ticks: rhythm.notes for rhythm in rhythms if rhythm.notes},
        {token - OCTAVE: count for token, count in enumerate(intervals) if count},
    )


def taste_of(model: Profiles, durations: DurationDictionary) -> Mapping[int, NDArray[np.float64]]:
    """How a model fills each place of the bar: shares (V,) over a dictionary of durations."""
    shares: dict[int, NDArray[np.float64]] = {}
    for kind, count in model.rhythm.items():
        place, ticks = divmod(kind, PLACE)
        row = shares.setdefault(place, np.zeros(len(durations)))
        row[durations.token(ticks)] += count
    return {place: row / row.sum() for place, row in shares.items()}


# How far notes may move when a tune gets another rhythm: as little as the style allows.
#
# Left to itself a network dawdles through a phrase and crams what is left into its last bar. So
# notes
# stay in their bar where the style can play as many there, and else in the fewest bars together.


def cut_to_units(plan: Plan, notes: Sequence[int], counts: Callable[[Span], Counts]) -> Plan:
    """Cut the new spans of a plan to units of one bar, or of as few as can take their notes.

    ``notes`` gives the number of notes of each bar, ``counts`` the numbers that a span can hold. A
    span that no cut suits stays whole.
    """
    spans: list[Span] = []
    for span in plan.spans:
        spans += [span] if span.source is not None else _units(span, notes, counts)
    return replace(plan, spans=tuple(spans))


def _units(span: Span, notes: Sequence[int], counts: Callable[[Span], Counts]) -> list[Span]:
    def fits(unit: Span) -> bool:
        total = sum(notes[unit.first : unit.first + unit.bars])
        return bool(counts(unit) >> total & 1)

    def unit(first: int, behind: int) -> Span:
        last = behind == span.first + span.bars
        return Span(first, behind - first, None, span.closes and last, span.home and last)

    # From the end to the start, so that the cadence gets a unit first; best[b] are the units that
    # cover the bars from b on, as many as possible.
    end = span.first + span.bars
    best: dict[int, list[Span]] = {end: []}
    for first in range(end - 1, span.first - 1, -1):
        choices = [
            [unit(first, behind), *best[behind]]
            for behind in range(first + 1, end + 1)
            if behind in best and fits(unit(first, behind))
        ]
        if choices:
            best[first] = max(choices, key=len)
    return best.get(span.first, [span])


FEW_REPEATS = 0.4
"""Share of a style's tunes with a repeated phrase below which returns are varied: a solo that says
the same again note for note sounds stiff (Weimar solos .01, folk .64)."""
DANCE, SOLO = (0.95, 0.95), (1.0, 0.99)
"""Temperature and nucleus of a style that repeats and of one that seldom does. Drawn like a dance,
.48 of a solo's intervals were 1, -1 or 2 semitones and it had 118 notes in 16 bars; warmer .41 and
110 (real .40 and 92)."""


def write_new_tune(
    request: Compose, melodist: Style, drummer: Style, tell: Callable[[float], None]
) -> Composition:
    """Write the tune that was asked for: the pitches of one style, the rhythm of another.

    Raises:
        BadOption: when the request names what there is not.
        NoSuchTune: when the two styles have no rhythm in common for it.
    """
    rng = np.random.default_rng(request.seed)
    meter = _choose_meter(request, drummer, rng)
    key = _choose_key(request, melodist, rng)
    plan = plan_form(
        request.bars, melodist.card.forms, rng, melodist.habits.returns,
        varied=_seldom_repeats(melodist),
    )  # fmt: skip
    own_meter = meter if meter in melodist.card.meters else _usual_meter(melodist)
    ground = Ground.of(melodist, own_meter, rng)
    model = draw_model(melodist, ground.meter, rng)
    if melodist is drummer:
        ground = ground.with_pickup(plan.spans, rng)
        frame = _free_frame(melodist, ground, ground, key, plan, model)
        best = _write(frame, model, melodist, melodist.echoes, (request.seed, 1), tell)
    else:
        target = _matching_ground(drummer, meter, ground, plan, rng)
        frame = _free_frame(melodist, ground, target, key, plan, model)
        best = _write(
            frame, model, melodist, melodist.echoes, (request.seed, 1),
            lambda done: tell(done / 2),
        )  # fmt: skip
        frame, ground = _given_frame(frame, best.line.events, drummer, target), target
        model = draw_model(drummer, ground.meter, rng)
        best = _write(
            frame, model, drummer, None, (request.seed, 2), lambda done: tell(0.5 + done / 2)
        )
    card = drummer.card.meters[meter]
    tempo = request.tempo if request.tempo is not None else card.tempo
    melody = _melody(best.line.events, key, tempo, ground.meter, plan)
    return Composition(melody, plan.form, card.swing, melodist.card.program)


def _matching_ground(
    drummer: Style, meter: str, ground: Ground, plan: Plan, rng: np.random.Generator
) -> Ground:
    """A ground of the rhythm style whose ending can take the notes of the other's, if one can."""
    all_of = Ground.all_of(drummer, meter, rng)
    for target in all_of:
        if all(target.counts(span) & ground.counts(span) for span in plan.spans):
            return target
    return all_of[0]


def _choose_meter(request: Compose, drummer: Style, rng: np.random.Generator) -> str:
    meters = drummer.card.meters
    drawn = draw_weighted({name: card.weight for name, card in meters.items()}, rng)
    if request.meter is None:
        return drawn
    asked = str(Meter.parse(request.meter))
    if asked not in meters:
        raise BadOption("meter", request.meter, f"{drummer.name} has {', '.join(meters)}")
    return asked


def _choose_key(request: Compose, melodist: Style, rng: np.random.Generator) -> Key:
    drawn = draw_weighted(melodist.card.keys, rng)
    return Key.parse(drawn if request.key is None else request.key)


def _seldom_repeats(style: Style) -> bool:
    return style.habits.repeats < FEW_REPEATS


def _warmth(style: Style) -> tuple[float, float]:
    return SOLO if _seldom_repeats(style) else DANCE


def _usual_meter(style: Style) -> str:
    return max(style.card.meters, key=lambda name: style.card.meters[name].weight)


def _free_frame(
    style: Style, ground: Ground, target: Ground, key: Key, plan: Plan, model: Profiles
) -> Frame:
    """The frame of a new tune whose spans hold as many notes as the target's rhythm can take."""
    counts = tuple(ground.counts(span) & target.counts(span) for span in plan.spans)
    if not all(counts):
        raise NoSuchTune(
            f"a bar of {ground.meter} has too many or too few notes for one of {target.meter}"
        )
    heat, nucleus = _warmth(style)
    return Frame(
        heading=Heading.plain(ground.meter, key, plan.bars),
        key=key,
        plan=plan,
        lattice=ground.lattice,
        durations=style.pair.durations,
        lowest=style.card.lowest,
        highest=style.card.highest,
        counts=counts,
        ending=ground.ending,
        lead=ground.lead,
        heat=heat,
        nucleus=nucleus,
        taste=taste_of(model, style.pair.durations),
    )


def _given_frame(frame: Frame, events: list[Event], drummer: Style, target: Ground) -> Frame:
    """The frame of a new rhythm: every unit of bars keeps its pitches, exactly as many."""
    bars = pitches_by_bar(events, frame.plan.bars, frame.lattice.bar)
    plan = cut_to_units(frame.plan, [len(bar) for bar in bars], target.counts)
    pitches = tuple(
        tuple(pitch for bar in bars[span.first : span.first + span.bars] for pitch in bar)
        for span in plan.spans
    )
    heat, nucleus = _warmth(drummer)
    return replace(
        frame,
        heat=heat,
        nucleus=nucleus,
        heading=Heading.plain(target.meter, frame.key, plan.bars),
        plan=plan,
        lattice=target.lattice,
        durations=drummer.pair.durations,
        ending=target.ending,
        counts=tuple(1 << len(span) for span in pitches),
        pitches=pitches,
        taste={},
    )


def _write(
    frame: Frame, model: Profiles, writer: Style, echoes: Echoes | None, seed: tuple[int, int],
    tell: Callable[[float], None],
) -> LineWriter:  # fmt: skip
    candidates = write_candidates(frame, writer.pair, seed, tell)
    return choose(candidates, model, frame.lattice.bar, echoes)


def _melody(events: list[Event], key: Key, tempo: float, meter: Meter, plan: Plan) -> Melody:
    notes = tuple(
        Note(Fraction(event.onset, TICKS), Fraction(event.duration, TICKS), event.pitch)
        for event in events
        if event.pitch is not None
    )
    return Melody(notes, meter, key, tempo, plan.bars, plan.sections)
