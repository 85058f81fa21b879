"""Mashup: the pitches and the form of one given tune in the rhythm of another.

The pitch tune gives its pitches, all in their order, and its bars, sections and repeats. The rhythm
tune gives meter, tempo map and a rhythm for each bar. Bars that are the same music in the pitch
tune get the rhythm of the same bar; the others follow the order of the rhythm tune as far as their
numbers of notes allow. Where the numbers differ, weak onsets are dropped or long notes split.
Nothing is random (docs/decisions.md#mashup).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.errors import NoSuchTune
from mst_core.generation.composition import Composition
from mst_core.music import Melody, Meter, Note, Repeat, TempoChange
from mst_core.reading.parsed_score import ParsedScore
from mst_core.transfer.bar_rhythms import adapt_note_count, bar_rhythms
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.rhythm_interpolation import RhythmPattern
from mst_core.transfer.structure import (
    PHRASE_BARS,
    bars_with_signs,
    check_duration,
    split_into_bars,
)
from mst_core.transfer.time_warp import TimeWarp

_MAX_TEMPOS = 64
"""Changes of tempo in one bar that are kept."""
_MAX_TITLE = 40
"""Characters of a title in a remark; a title may be the name of a file."""


def combine(
    pitch_score: ParsedScore, rhythm_score: ParsedScore, config: TransferConfig = TransferConfig()
) -> Composition:
    """Combine the pitches of one score with the rhythm of another.

    Args:
        pitch_score: gives pitches, key, form and instrument.
        rhythm_score: gives meter, tempo and rhythm.
        config: the costs of the choice of bars.

    Returns:
        The tune, with the warnings of both scores.

    Raises:
        NoSuchTune: when the second has no bars that the notes of the first fit into.
        TooLong: when it would last too long in the bars and the tempo of the second.
    """
    pitch_tune, rhythm_tune = pitch_score.melody, rhythm_score.melody
    melody, adapted = combine_melodies(pitch_tune, rhythm_tune, config)
    check_duration(melody.seconds, melody.meter)
    warnings = list(_name_tunes(pitch_score, rhythm_score))
    if adapted:
        warnings.append(
            f"Bars of the second tune with too few or too many notes were adapted; they hold "
            f"{round(100 * adapted)} % of the notes."
        )
    if pitch_score.parts or rhythm_score.parts:
        warnings.append("The other parts of the two tunes are left out of a mashup.")
    return Composition(
        melody,
        form="",
        swing=0.5 if rhythm_score.swing is None else rhythm_score.swing,
        program=0 if pitch_score.program is None else pitch_score.program,
        original=pitch_tune if melody.meter == pitch_tune.meter else None,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def combine_melodies(
    pitch_tune: Melody, rhythm_tune: Melody, config: TransferConfig = TransferConfig()
) -> tuple[Melody, float]:
    """Combine the pitches of one tune with the rhythm of another.

    Args:
        pitch_tune: gives pitches, key and form.
        rhythm_tune: gives meter, tempo and rhythm.
        config: the costs of the choice of bars.

    Returns:
        The tune, and the share of its notes in bars whose number of notes had to be adapted.

    Raises:
        NoSuchTune: when the second has no bars that the notes of the first fit into.
    """
    meter = rhythm_tune.meter
    rhythms = bar_rhythms(rhythm_tune, meter)
    if not any(rhythms):
        raise NoSuchTune("the second tune has no whole bar with notes")
    bars = split_into_bars(pitch_tune)
    first_of: dict[object, int] = {}
    class_of = [first_of.setdefault(bar.class_key, index) for index, bar in enumerate(bars)]
    firsts = [i for i, first in enumerate(class_of) if first == i and bars[i].notes]
    note_counts = [len(bars[index].notes) for index in firsts]
    chosen = _align_bars(note_counts, firsts, rhythms, config)
    original = {index: rhythms[bar] for index, bar in zip(firsts, chosen, strict=True)}
    adapted = {
        index: adapt_note_count(rhythm, len(bars[index].notes), meter, config)
        for index, rhythm in original.items()
    }
    repeats = _repeats(pitch_tune, meter)
    for index in bars_with_signs(replace(pitch_tune, repeats=repeats), bars):
        bar = bars[class_of[index]]
        ends = (min(note.end, bar.end) for note in bar.notes)
        own = tuple(
            (n.onset - bar.start, end - n.onset) for n, end in zip(bar.notes, ends, strict=True)
        )
        original[class_of[index]] = adapted[class_of[index]] = own
    notes = _pickup(pitch_tune, rhythm_tune, config)
    n_adapted = 0
    for index, bar in enumerate(bars):
        if not bar.notes:
            continue
        rhythm = adapted[class_of[index]]
        if len(original[class_of[index]]) != len(rhythm):
            n_adapted += len(rhythm)
        notes += [
            Note(index * meter.bar_length + onset, duration, note.pitch)
            for (onset, duration), note in zip(rhythm, bar.notes, strict=True)
        ]
    melody = Melody(
        tuple(notes),
        meter,
        pitch_tune.key,
        rhythm_tune.tempo,
        pitch_tune.bar_count,
        pitch_tune.sections,
        repeats=repeats,
        tempo_changes=_tempo_changes(rhythm_tune, pitch_tune.bar_count),
        key_changes=pitch_tune.key_changes,
        grace_notes=pitch_tune.grace_notes,
    )
    chords = TimeWarp.between(pitch_tune, melody).move_chords(pitch_tune.chords)
    return replace(melody, chords=chords), n_adapted / max(1, len(notes))


def _name_tunes(pitch_score: ParsedScore, rhythm_score: ParsedScore) -> Iterator[str]:
    """Yield the warnings of both scores, each with the tune that it is about."""
    titles = pitch_score.title, rhythm_score.title
    known = all(titles) and titles[0] != titles[1]
    for score, number in ((pitch_score, "first"), (rhythm_score, "second")):
        title = (
            score.title if len(score.title) <= _MAX_TITLE else f"{score.title[: _MAX_TITLE - 1]}…"
        )
        name = f'"{title}"' if known else f"the {number} tune"
        yield from (f"In {name}: {warning}" for warning in score.warnings)


def _tempo_changes(rhythm_tune: Melody, bar_count: int) -> tuple[TempoChange, ...]:
    """The tempo map of the rhythm tune in as many of its bars, which begin again at their end."""
    changes = rhythm_tune.tempo_changes
    if not changes or not rhythm_tune.bar_count:
        return ()
    lines, bar = rhythm_tune.barlines, rhythm_tune.meter.bar_length
    onsets = [change.onset for change in changes]
    found: list[TempoChange] = [TempoChange(-bar, changes[0].tempo)]
    for index in range(bar_count):
        source = index % rhythm_tune.bar_count
        start, length = lines[source], lines[source + 1] - lines[source]
        first = bisect_right(onsets, start)
        inside = changes[first : min(bisect_left(onsets, lines[source + 1]), first + _MAX_TEMPOS)]
        new = [TempoChange(index * bar, changes[max(0, first - 1)].tempo)]
        for change in inside:
            offset = (change.onset - start) * bar / length
            new.append(TempoChange(index * bar + offset, change.tempo))
        found += (change for change in new if change.tempo != found[-1].tempo)
    return tuple(found)


def _align_bars(
    note_counts: Sequence[int],
    positions: Sequence[int],
    rhythms: Sequence[RhythmPattern],
    config: TransferConfig,
) -> list[int]:
    """The bar of the rhythm tune for each bar of the pitch tune, by dynamic programming (Viterbi).

    ``note_counts`` are the numbers of notes of B bars, ``positions`` their indices in the pitch
    tune, ``rhythms`` those of the R bars of the rhythm tune. Returns B indices into ``rhythms``.
    """
    n_rhythms = len(rhythms)
    counts = np.array([len(rhythm) for rhythm in rhythms])
    bars = np.arange(n_rhythms)
    skips = np.full((n_rhythms, n_rhythms), config.skip_cost)  # [before, after]
    skips[bars, (bars + 1) % n_rhythms] = 0
    cost = np.zeros(n_rhythms)
    predecessors: list[NDArray[np.int64]] = []
    for step, (n_notes, position) in enumerate(zip(note_counts, positions, strict=True)):
        missing = n_notes - counts
        fit = np.where(
            missing > 0, config.split_cost * missing, -config.drop_cost * missing
        ).astype(float)
        fit += config.position_cost * ((bars - position) % PHRASE_BARS != 0)
        fit[counts == 0] = np.inf
        if step and positions[step - 1] == position - 1:
            joined = cost[:, None] + skips
        else:  # after a bar that has its rhythm already any bar may come
            joined = np.broadcast_to(cost[:, None], skips.shape)
        predecessors.append(np.argmin(joined, axis=0))
        cost = joined.min(axis=0) + fit
    best = [int(np.argmin(cost))] if note_counts else []
    for predecessor in reversed(predecessors[1:]):
        best.append(int(predecessor[best[-1]]))
    return best[::-1]


def _pickup(pitch_tune: Melody, rhythm_tune: Melody, config: TransferConfig) -> list[Note]:
    """Return the pitch tune's pickup, in the rhythm of the rhythm tune's pickup if it has one."""
    pitches = [note.pitch for note in pitch_tune.notes if note.onset < 0]
    if not pitches:
        return []
    own = [note for note in rhythm_tune.notes if note.onset < 0]
    start = min(pitch_tune.pickup, rhythm_tune.meter.bar_length)
    rhythm: RhythmPattern = ((Fraction(0), start),)
    if own:
        start = rhythm_tune.pickup
        rhythm = tuple((n.onset + start, min(n.end, Fraction(0)) - n.onset) for n in own)
    adapted = adapt_note_count(rhythm, len(pitches), rhythm_tune.meter, config)
    return [
        Note(onset - start, duration, pitch)
        for (onset, duration), pitch in zip(adapted, pitches, strict=True)
    ]


def _repeats(pitch_tune: Melody, meter: Meter) -> tuple[Repeat, ...]:
    """The pitch tune's repeats; in bars of another length they begin and end at barlines."""
    if meter.bar_length == pitch_tune.meter.bar_length and not pitch_tune.meter_changes:
        return pitch_tune.repeats
    return tuple(
        replace(repeat, lead_in=Fraction(0), lead_out=Fraction(0)) for repeat in pitch_tune.repeats
    )
