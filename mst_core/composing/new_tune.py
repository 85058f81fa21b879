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

from mst_core.composing.select_candidate import select_candidate
from mst_core.corpora.tunes import TuneEvent
from mst_core.corpora.vocabulary import OCTAVE, REST_TOKEN, DurationVocabulary
from mst_core.errors import BadOption, NoSuchTune
from mst_core.generation.candidates import write_candidates
from mst_core.generation.composition import Composition
from mst_core.generation.form import FormPlan, FormSpan, plan_form
from mst_core.generation.melody_writer import MelodyWriter, WritingConstraints, pitches_by_bar
from mst_core.generation.meter_model import MeterModel, sample_weighted
from mst_core.generation.rhythm_lattice import NoteCountSet
from mst_core.jobs import Compose
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Meter, Note
from mst_core.networks.context import TuneHeader
from mst_core.networks.style import Style
from mst_core.statistics.fingerprints import Fingerprints
from mst_core.statistics.reference_profiles import MIN_OTHERS, POSITION_FACTOR, TuneProfile

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


def draw_reference(style: Style, meter: Meter, rng: np.random.Generator) -> TuneProfile:
    """Draw one of the style's neighbours; where there are few, take all its tunes together."""
    company = style.reference_profiles.for_meter(meter) if style.reference_profiles else None
    if company is None:
        return _profiles_of_statistics(style, meter)
    if len(company.samples) < MIN_OTHERS:
        return company.pooled
    return company.samples[rng.integers(len(company.samples))]


def _profiles_of_statistics(style: Style, meter: Meter) -> TuneProfile:
    rhythms, intervals = (
        style.statistics.meters[str(meter)].rhythm_counts,
        style.statistics.interval_counts[:REST_TOKEN],
    )
    return TuneProfile(
        {
            rhythm.position * POSITION_FACTOR + rhythm.duration: rhythm.notes
            for rhythm in rhythms
            if rhythm.notes
        },
        {token - OCTAVE: count for token, count in enumerate(intervals) if count},
    )


def duration_prior(
    model: TuneProfile, durations: DurationVocabulary
) -> Mapping[int, NDArray[np.float64]]:
    """How a model fills each place of the bar: shares (V,) over a dictionary of durations."""
    shares: dict[int, NDArray[np.float64]] = {}
    for kind, count in model.rhythm.items():
        place, ticks = divmod(kind, POSITION_FACTOR)
        row = shares.setdefault(place, np.zeros(len(durations)))
        row[durations.token(ticks)] += count
    return {place: row / row.sum() for place, row in shares.items()}


# How far notes may move when a tune gets another rhythm: as little as the style allows.
#
# Left to itself a network dawdles through a phrase and crams what is left into its last bar. So
# notes
# stay in their bar where the style can play as many there, and else in the fewest bars together.


def split_spans(
    plan: FormPlan, notes: Sequence[int], counts: Callable[[FormSpan], NoteCountSet]
) -> FormPlan:
    """Cut the new spans of a plan to units of one bar, or of as few as can take their notes.

    ``notes`` gives the number of notes of each bar, ``counts`` the numbers that a span can hold. A
    span that no cut suits stays whole.
    """
    spans: list[FormSpan] = []
    for span in plan.spans:
        spans += [span] if span.copies is not None else _split_span(span, notes, counts)
    return replace(plan, spans=tuple(spans))


def _split_span(
    span: FormSpan, notes: Sequence[int], counts: Callable[[FormSpan], NoteCountSet]
) -> list[FormSpan]:
    def fits(unit: FormSpan) -> bool:
        total = sum(notes[unit.first_bar : unit.first_bar + unit.bar_count])
        return bool(counts(unit) >> total & 1)

    def unit(first: int, behind: int) -> FormSpan:
        last = behind == span.first_bar + span.bar_count
        return FormSpan(first, behind - first, None, span.cadence and last, span.final and last)

    # From the end to the start, so that the cadence gets a unit first; best[b] are the units that
    # cover the bars from b on, as many as possible.
    end = span.first_bar + span.bar_count
    best: dict[int, list[FormSpan]] = {end: []}
    for first in range(end - 1, span.first_bar - 1, -1):
        choices = [
            [unit(first, behind), *best[behind]]
            for behind in range(first + 1, end + 1)
            if behind in best and fits(unit(first, behind))
        ]
        if choices:
            best[first] = max(choices, key=len)
    return best.get(span.first_bar, [span])


MIN_REPEATS = 0.4
"""Share of a style's tunes with a repeated phrase below which returns are varied: a solo that says
the same again note for note sounds stiff (Weimar solos .01, folk .64)."""
DANCE, SOLO = (0.95, 0.95), (1.0, 0.99)
"""Temperature and nucleus of a style that repeats and of one that seldom does. Drawn like a dance,
.48 of a solo's intervals were 1, -1 or 2 semitones and it had 118 notes in 16 bars; warmer .41 and
110 (real .40 and 92)."""


def write_new_tune(
    request: Compose, pitch_style: Style, rhythm_style: Style, on_progress: Callable[[float], None]
) -> Composition:
    """Write the tune that was asked for: the pitches of one style, the rhythm of another.

    Raises:
        BadOption: when the request names what there is not.
        NoSuchTune: when the two styles have no rhythm in common for it.
    """
    rng = np.random.default_rng(request.seed)
    meter = _choose_meter(request, rhythm_style, rng)
    key = _choose_key(request, pitch_style, rng)
    plan = plan_form(
        request.bars,
        pitch_style.card.forms,
        rng,
        pitch_style.statistics.repetition_patterns,
        varied=_seldom_repeats(pitch_style),
    )
    own_meter = meter if meter in pitch_style.card.meters else _usual_meter(pitch_style)
    ground = MeterModel.sample(pitch_style, own_meter, rng)
    model = draw_reference(pitch_style, ground.meter, rng)
    if pitch_style is rhythm_style:
        ground = ground.with_pickup(plan.spans, rng)
        frame = _free_constraints(pitch_style, ground, ground, key, plan, model)
        best = _write_best(
            frame, model, pitch_style, pitch_style.fingerprints, (request.seed, 1), on_progress
        )
    else:
        target = _matching_meter(rhythm_style, meter, ground, plan, rng)
        frame = _free_constraints(pitch_style, ground, target, key, plan, model)
        best = _write_best(
            frame,
            model,
            pitch_style,
            pitch_style.fingerprints,
            (request.seed, 1),
            lambda done: on_progress(done / 2),
        )
        frame, ground = (
            _given_pitch_constraints(frame, best.state.events, rhythm_style, target),
            target,
        )
        model = draw_reference(rhythm_style, ground.meter, rng)
        best = _write_best(
            frame,
            model,
            rhythm_style,
            None,
            (request.seed, 2),
            lambda done: on_progress(0.5 + done / 2),
        )
    card = rhythm_style.card.meters[meter]
    tempo = request.tempo if request.tempo is not None else card.tempo
    melody = _to_melody(best.state.events, key, tempo, ground.meter, plan)
    return Composition(melody, plan.form, card.swing, pitch_style.card.program)


def _matching_meter(
    rhythm_style: Style,
    meter: str,
    pitch_meter: MeterModel,
    plan: FormPlan,
    rng: np.random.Generator,
) -> MeterModel:
    """A ground of the rhythm style whose ending can take the notes of the other's, if one can."""
    all_of = MeterModel.candidates(rhythm_style, meter, rng)
    for target in all_of:
        if all(target.note_counts(span) & pitch_meter.note_counts(span) for span in plan.spans):
            return target
    return all_of[0]


def _choose_meter(request: Compose, rhythm_style: Style, rng: np.random.Generator) -> str:
    meters = rhythm_style.card.meters
    drawn = sample_weighted({name: card.weight for name, card in meters.items()}, rng)
    if request.meter is None:
        return drawn
    asked = str(Meter.parse(request.meter))
    if asked not in meters:
        raise BadOption("meter", request.meter, f"{rhythm_style.name} has {', '.join(meters)}")
    return asked


def _choose_key(request: Compose, pitch_style: Style, rng: np.random.Generator) -> Key:
    drawn = sample_weighted(pitch_style.card.keys, rng)
    return Key.parse(drawn if request.key is None else request.key)


def _seldom_repeats(style: Style) -> bool:
    return style.statistics.repeated_phrase_share < MIN_REPEATS


def sampling_for(style: Style) -> tuple[float, float]:
    """Return the sampling temperature and top-p of new tunes in a style."""
    return SOLO if _seldom_repeats(style) else DANCE


def _usual_meter(style: Style) -> str:
    return max(style.card.meters, key=lambda name: style.card.meters[name].weight)


def _free_constraints(
    style: Style,
    meter_model: MeterModel,
    target: MeterModel,
    key: Key,
    plan: FormPlan,
    reference: TuneProfile,
) -> WritingConstraints:
    """The frame of a new tune whose spans hold as many notes as the target's rhythm can take."""
    counts = tuple(meter_model.note_counts(span) & target.note_counts(span) for span in plan.spans)
    if not all(counts):
        raise NoSuchTune(
            f"a bar of {meter_model.meter} has too many or too few notes for one of {target.meter}"
        )
    heat, nucleus = sampling_for(style)
    return WritingConstraints(
        header=TuneHeader.regular(meter_model.meter, key, plan.bar_count),
        key=key,
        plan=plan,
        lattice=meter_model.lattice,
        vocabulary=style.model.vocabulary,
        lowest_pitch=style.card.lowest,
        highest_pitch=style.card.highest,
        note_counts=counts,
        final_onset=meter_model.final_onset,
        phrase_pickup=meter_model.phrase_pickup,
        temperature=heat,
        top_p=nucleus,
        duration_prior=duration_prior(reference, style.model.vocabulary),
    )


def _given_pitch_constraints(
    constraints: WritingConstraints,
    events: list[TuneEvent],
    rhythm_style: Style,
    target: MeterModel,
) -> WritingConstraints:
    """The frame of a new rhythm: every unit of bars keeps its pitches, exactly as many."""
    bars = pitches_by_bar(events, constraints.plan.bar_count, constraints.lattice.bar_ticks)
    plan = split_spans(constraints.plan, [len(bar) for bar in bars], target.note_counts)
    pitches = tuple(
        tuple(
            pitch for bar in bars[span.first_bar : span.first_bar + span.bar_count] for pitch in bar
        )
        for span in plan.spans
    )
    heat, nucleus = sampling_for(rhythm_style)
    return replace(
        constraints,
        temperature=heat,
        top_p=nucleus,
        header=TuneHeader.regular(target.meter, constraints.key, plan.bar_count),
        plan=plan,
        lattice=target.lattice,
        vocabulary=rhythm_style.model.vocabulary,
        final_onset=target.final_onset,
        note_counts=tuple(1 << len(span) for span in pitches),
        given_pitches=pitches,
        duration_prior={},
    )


def _write_best(
    constraints: WritingConstraints,
    reference: TuneProfile,
    writer: Style,
    fingerprints: Fingerprints | None,
    seed: tuple[int, int],
    on_progress: Callable[[float], None],
) -> MelodyWriter:
    candidates = write_candidates(constraints, writer.model, seed, on_progress)
    return select_candidate(candidates, reference, constraints.lattice.bar_ticks, fingerprints)


def _to_melody(
    events: list[TuneEvent], key: Key, tempo: float, meter: Meter, plan: FormPlan
) -> Melody:
    notes = tuple(
        Note(
            Fraction(event.onset, TICKS_PER_QUARTER),
            Fraction(event.duration, TICKS_PER_QUARTER),
            event.pitch,
        )
        for event in events
        if event.pitch is not None
    )
    return Melody(notes, meter, key, tempo, plan.bar_count, plan.sections)
