"""Baselines of rhythm transfer: each is best at one metric and bad at others.

`pati_baseline` is the method of Pati's article: the duration network of the target style samples a
duration for every given pitch, without constraints. No product code uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch

from mst_core.corpora.tunes import TuneEvent
from mst_core.music import TICKS_PER_QUARTER, Melody, Note
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.model import StyleModel


def sample_durations(
    model: StyleModel, header: TuneHeader, pitches: Sequence[int | None], seeds: Sequence[int]
) -> list[tuple[TuneEvent, ...]]:
    """Sample a duration for each pitch from the duration network.

    Args:
        model: the style's networks.
        header: meter, key and bars of the tune.
        pitches: MIDI numbers, None for a rest, ``(N,)``.
        seeds: one tune is sampled for each; B below is their number.

    Returns:
        The events of each tune.
    """
    states = [MelodyState(header, model.vocabulary) for _ in seeds]
    draws = [np.random.default_rng(seed) for seed in seeds]
    device = next(model.duration_net.parameters()).device
    lstm: tuple[torch.Tensor, torch.Tensor] | None = None
    ticks = model.vocabulary.ticks
    with torch.inference_mode():
        for pitch in pitches:
            rows = [
                state.duration_context(state.pitch_context(), state.interval_to(pitch), pitch)
                for state in states
            ]
            features = torch.tensor(rows, device=device).unsqueeze(1)  # (B, 1, F)
            logits, lstm = model.duration_net(features, lstm)
            probabilities = torch.softmax(logits[:, 0].double(), dim=-1).cpu().numpy()  # (B, V)
            for state, draw, row in zip(states, draws, probabilities, strict=True):
                state.append(pitch, ticks[int(draw.choice(len(row), p=row / row.sum()))])
    return [tuple(state.events) for state in states]


def shuffle_durations(melody: Melody, seed: int) -> Melody:
    """Return the tune with its durations permuted; rests stay after the notes they followed.

    Args:
        melody: a tune of N notes.
        seed: of the permutation.

    Returns:
        The N pitches in their order, on permuted durations; form marks are dropped.
    """
    order = np.random.default_rng(seed).permutation(len(melody.notes))
    durations = [melody.notes[place].duration for place in order]
    notes: list[Note] = []
    now = melody.notes[0].onset
    ends = [*(note.onset for note in melody.notes[1:]), melody.notes[-1].end]
    for note, duration, following in zip(melody.notes, durations, ends, strict=True):
        notes.append(Note(now, duration, note.pitch))
        now += duration + following - note.end
    return _with_notes(melody, notes)


def copy_rhythm(melody: Melody, target: Melody) -> Melody:
    """Return the tune's pitches on the rhythm of another tune, repeated from bar 0 as needed.

    Args:
        melody: the tune whose pitches are kept.
        target: the tune whose onsets, durations and meter are taken.

    Returns:
        As many notes as ``melody`` has; form marks are dropped.
    """
    bar = target.meter.bar_length
    period = -int(-(target.notes[-1].end - min(Fraction(0), target.notes[0].onset)) // bar) * bar
    notes = []
    for index, note in enumerate(melody.notes):
        cycle, index_in_target = divmod(index, len(target.notes))
        source = target.notes[index_in_target]
        notes.append(Note(source.onset + cycle * period, source.duration, note.pitch))
    return _with_notes(replace(melody, meter=target.meter, meter_changes=()), notes)


def pati_baseline(melody: Melody, model: StyleModel, seeds: Sequence[int]) -> list[Melody]:
    """Sample a rhythm for the tune's pitches from the style's duration network, once a seed.

    Args:
        melody: a tune of N notes; only its pitches, meter and key are used.
        model: the style's networks.
        seeds: one tune is sampled for each.

    Returns:
        One tune of N notes for each seed, in the order of ``seeds``.
    """
    bars = 4 * max(1, melody.bar_count) + 8
    header = TuneHeader.regular(melody.meter, melody.key, bars)
    found = sample_durations(model, header, melody.pitches, seeds)
    return [_with_notes(melody, _notes(events)) for events in found]


def _notes(events: Sequence[TuneEvent]) -> list[Note]:
    return [
        Note(Fraction(e.onset, TICKS_PER_QUARTER), Fraction(e.duration, TICKS_PER_QUARTER), e.pitch)
        for e in events
        if e.pitch is not None
    ]


def _with_notes(melody: Melody, notes: Sequence[Note]) -> Melody:
    """Return the melody with other notes in as many bars as they need; form marks are dropped."""
    bars = max(1, -int(-notes[-1].end // melody.meter.bar_length))
    return replace(
        melody, notes=tuple(notes), bar_count=bars, sections=(0,), meter_changes=(), repeats=()
    )
