"""A new tune of one style: meter, key and form are drawn by its seed, then candidates generated.

The networks of the style generate pitches and rhythm together, and one candidate is selected. For a
tune of two styles the composer then transfers its rhythm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from mst_core.composing.first_endings import (
    insert_first_endings,
    list_repeats,
    write_first_endings,
)
from mst_core.composing.reference_tune import draw_reference, reference_prior
from mst_core.composing.select_candidate import select_candidate
from mst_core.corpora.tunes import TuneEvent
from mst_core.errors import NoSuchTune
from mst_core.generation.candidates import write_candidates
from mst_core.generation.composition import Composition
from mst_core.generation.config import GenerationConfig
from mst_core.generation.form import PART_BARS, FormPlan, plan_form
from mst_core.generation.melody_writer import MelodyWriter, WritingConstraints
from mst_core.generation.meter_model import EIGHTH_TICKS, Breath, MeterModel
from mst_core.generation.sampling import sample_weighted
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Meter, Note
from mst_core.networks.context import TuneHeader
from mst_core.networks.style import Style
from mst_core.requests import Compose
from mst_core.statistics.reference_profiles import TuneProfile
from mst_core.styles import StyleMeter, require_meter


def write_new_tune(
    request: Compose,
    style: Style,
    on_progress: Callable[[float], None],
    config: GenerationConfig = GenerationConfig(),
) -> Composition:
    """Generate a tune of one style.

    Args:
        request: what is wanted; what it leaves open is drawn by its seed. Its styles are not read.
        style: the style of the tune.
        on_progress: called with the share done, 0 to 1.
        config: constants of generation and selection.

    Returns:
        The selected candidate as a composition.

    Raises:
        BadOption: when the style lacks the meter of the request.
        NoSuchTune: when the style has no rhythm for it.
    """
    rng = np.random.default_rng(request.seed)
    meter = _choose_meter(request, style, rng)
    key = _choose_key(request, style, rng)
    cadence_bars = style.card.cadence_bars
    plan = plan_form(
        request.bars,
        style.card.forms,
        rng,
        style.statistics.repetition_patterns,
        varied=seldom_repeats(style, config),
        cadence_bars=cadence_bars,
        config=config,
    )
    models = MeterModel.candidates(
        style,
        meter,
        rng,
        config,
        min_final_ticks=config.min_hymn_cadence_ticks if cadence_bars else EIGHTH_TICKS,
    )
    model = models[0]
    reference = draw_reference(style, model.meter, rng)
    pickup = model.draw_pickup(rng)
    with_pickup = [each.with_pickup(plan.spans, pickup) for each in models]
    model = next((each for each in with_pickup if each.phrase_pickup == pickup), model)
    breaths = _draw_breaths(style, model, plan, rng)
    constraints = replace(
        _constraints(style, model, key, plan, reference, breaths),
        final_degree=_draw_final_degree(style, key, rng),
        compass=_draw_compass(style, rng),
        outside_share=_outside_share(style, key),
    )
    candidates = write_candidates(constraints, style.model, (request.seed, 1), on_progress)
    best = select_candidate(candidates, reference, style.fingerprints)
    if cadence_bars and key.mode == "minor":
        best.state.events[:] = raise_leading_notes(best.state.events, key.tonic, constraints)
    endings = write_first_endings(best, model, style, request.seed)
    card = style.card.meters[meter]
    tempo = request.tempo if request.tempo is not None else draw_tempo(card, meter, request.seed)
    melody = _to_melody(best, endings, tempo)
    if request.key is None:
        melody = replace(melody, key=name_mode(melody, style.card.keys))
    return Composition(melody, plan.played_form, card.swing, style.card.program)


def sampling_for(style: Style, config: GenerationConfig) -> tuple[float, float]:
    """Return temperature and top-p for new tunes of a style.

    Args:
        style: a loaded style.
        config: the temperatures and shares to choose from.

    Returns:
        The divisor of logits, above 0, and the share of probability that stays in play, 0 to 1;
        the varied pair for a style whose tunes seldom repeat a phrase.
    """
    if seldom_repeats(style, config):
        return config.varied_temperature, config.varied_top_p
    return config.temperature, config.top_p


def seldom_repeats(style: Style, config: GenerationConfig) -> bool:
    """Return whether tunes of a style seldom repeat a phrase, as improvised solos do.

    Args:
        style: a loaded style.
        config: the share of tunes below which they do so seldom.
    """
    return style.statistics.repeated_phrase_share < config.min_repeated_phrase_share


def _choose_meter(request: Compose, style: Style, rng: np.random.Generator) -> str:
    """Draw a meter of the rhythm style; the request's replaces it."""
    meters = style.card.meters
    drawn = sample_weighted({name: card.weight for name, card in meters.items()}, rng)
    if request.meter is None:
        return drawn
    return require_meter(request.meter, style.name, style.card)


def _choose_key(request: Compose, style: Style, rng: np.random.Generator) -> Key:
    """Draw a key of the pitch style; the request's replaces it."""
    drawn = sample_weighted(style.card.keys, rng)
    return Key.parse(drawn if request.key is None else request.key)


def draw_tempo(card: StyleMeter, meter: str, seed: int) -> float:
    """Draw a tempo of a meter from the range of a style, a whole number of beats a minute.

    Args:
        card: the meter of the style.
        meter: its name, such as ``6/8``.
        seed: of the tune.

    Returns:
        Quarter notes per minute; the usual tempo where the style has no range.
    """
    if card.tempo_range is None:
        return card.tempo
    beat = float(Meter.parse(meter).beat_length)
    low, high = (round(tempo / beat) for tempo in card.tempo_range)
    return int(np.random.default_rng((seed, 4)).integers(low, high + 1)) * beat


def name_mode(melody: Melody, keys: Iterable[str]) -> Key:
    """Return the key whose scale has the notes of a tune: its own, or its tonic in another mode.

    Networks know major and minor alone, so a tune that was to be mixolydian may have no seventh of
    that scale.

    Args:
        melody: the tune, in the key in which it was generated.
        keys: names of the keys of the style; others of their modes are not considered.

    Returns:
        The key with the fewest notes outside its scale, the tune's own where it is one of them.
    """
    modes = sorted({Key.parse(name).mode for name in keys})
    others = [Key(melody.key.tonic, mode) for mode in modes]
    same_third = [key for key in others if key.is_minor == melody.key.is_minor]
    return min(
        (melody.key, *same_third),
        key=lambda key: sum(pitch % 12 not in key.scale for pitch in melody.pitches),
    )


def raise_leading_notes(
    events: Sequence[TuneEvent], tonic: int, constraints: WritingConstraints
) -> list[TuneEvent]:
    """Return a hymn in minor whose cadences have the raised seventh below the tonic.

    Where a chorale ends by a step up to the tonic, that step is a semitone: 14 of 14 in minor.

    Args:
        events: of the tune.
        tonic: its pitch class.
        constraints: with its form and the ends of its phrases.
    """
    bar_ticks, pickup = constraints.lattice.bar_ticks, constraints.phrase_pickup
    ends = [
        (span.first_bar + span.bar_count) * bar_ticks - pickup
        for span in constraints.plan.spans
        if span.cadence
    ]
    raised = list(events)
    notes = [index for index, event in enumerate(events) if event.pitch is not None]
    for end in ends:
        before = [index for index in notes if events[index].onset < end][-3:]
        pitches = [events[index].pitch or 0 for index in before]
        is_step_up = len(before) == 3 and pitches[2] - pitches[1] == 2 and pitches[2] % 12 == tonic
        if is_step_up and pitches[1] - pitches[0] != 2:  # else an augmented second would arise
            raised[before[1]] = replace(events[before[1]], pitch=pitches[1] + 1)
    return raised


def _draw_final_degree(style: Style, key: Key, rng: np.random.Generator) -> int:
    """Draw the semitones of the last note above the tonic, as tunes of the style end.

    Only notes of the tonic triad, and the second, which leads back to the beginning: other ends of
    real tunes are prepared by what comes before.
    """
    degrees = [(key.scale[step] - key.tonic) % 12 for step in (0, 1, 2, 4)]
    counts = {str(degree): style.statistics.final_degrees[degree] for degree in degrees}
    return int(sample_weighted(counts, rng)) if any(counts.values()) else 0


def _draw_compass(style: Style, rng: np.random.Generator) -> int | None:
    """Draw the semitones from the lowest to the highest note; None where no tunes were counted."""
    counts = {str(compass): count for compass, count in style.statistics.compasses.items()}
    return int(sample_weighted(counts, rng)) if counts else None


def _outside_share(style: Style, key: Key) -> float:
    """Return the share of notes outside the scale, 0 to 1, in the style's tunes of a mode."""
    counts = style.statistics.scale_degrees.get("minor" if key.is_minor else "major")
    if not counts:
        return 1.0
    scale = Key(0, "minor" if key.is_minor else "major").scale
    return 1 - sum(counts[degree] for degree in scale) / sum(counts)


def _draw_breaths(
    style: Style, model: MeterModel, plan: FormPlan, rng: np.random.Generator
) -> tuple[Breath | None, ...]:
    """Draw for each phrase of a solo, not of a hymn, whether and how it ends with a rest."""
    if style.card.cadence_bars or not seldom_repeats(style, model.config):
        return ()
    breaths: list[Breath | None] = []
    for index, span in enumerate(plan.spans):
        last = index == len(plan.spans) - 1
        breath = model.draw_breath(rng, last=last)
        wanted = last or rng.random() < model.config.breath_probability
        lead = breaths[-1].lead if breaths and breaths[-1] else 0
        fits = wanted and breath is not None and model.note_counts(span, breath, lead)
        breaths.append(breath if fits else None)
    return tuple(breaths)


def _constraints(
    style: Style,
    model: MeterModel,
    key: Key,
    plan: FormPlan,
    reference: TuneProfile,
    breaths: tuple[Breath | None, ...],
) -> WritingConstraints:
    """Return the constraints of a new melody."""
    if breaths:
        leads = [0, *(breath.lead if breath else 0 for breath in breaths)]
        counts = tuple(map(model.note_counts, plan.spans, breaths, leads))
    else:
        counts = tuple(map(model.note_counts, plan.spans))
    if not all(counts):
        raise NoSuchTune(f"the style has no rhythm that fills its bars of {model.meter}")
    temperature, top_p = sampling_for(style, model.config)
    # In a solo the next duration depends on the last: a prior by position splits its runs.
    varied = seldom_repeats(style, model.config)
    config = model.config
    if varied:
        config = replace(config, reference_prior_weight=config.varied_prior_weight)
    return WritingConstraints(
        header=TuneHeader.regular(model.meter, key, plan.bar_count),
        key=key,
        plan=plan,
        lattice=model.lattice,
        vocabulary=style.model.vocabulary,
        lowest_pitch=style.card.lowest,
        highest_pitch=style.card.highest,
        note_counts=counts,
        final_onset=model.final_onset,
        phrase_pickup=model.phrase_pickup,
        temperature=temperature,
        top_p=top_p,
        breaths=breaths,
        duration_prior=reference_prior(reference, style.model.vocabulary),
        config=config,
    )


def _to_melody(
    tune: MelodyWriter, endings: Mapping[int, Sequence[TuneEvent]], tempo: float
) -> Melody:
    """Turn events in ticks into a melody with its repeats; rests become gaps."""
    constraints = tune.constraints
    plan = constraints.plan
    events = insert_first_endings(tune.state.events, endings, constraints.lattice.bar_ticks)
    repeats = list_repeats(plan, endings, constraints.phrase_pickup)
    notes = tuple(
        Note(
            Fraction(event.onset, TICKS_PER_QUARTER),
            Fraction(event.duration, TICKS_PER_QUARTER),
            event.pitch,
        )
        for event in events
        if event.pitch is not None
    )
    return Melody(
        notes,
        constraints.header.meter,
        constraints.key,
        tempo,
        plan.bar_count + len(endings),
        tuple(repeat.start for repeat in repeats) or _marked_sections(plan.sections),
        repeats=repeats,
    )


def _marked_sections(sections: Sequence[int]) -> tuple[int, ...]:
    """Return the first bars of the sections that a double bar precedes: every eight bars at most.

    Phrases of four bars have letters of the form too, but no player would mark them.
    """
    marked = list(sections[:1])
    for start in sections[1:]:
        if start - marked[-1] >= PART_BARS:
            marked.append(start)
    return tuple(marked)
