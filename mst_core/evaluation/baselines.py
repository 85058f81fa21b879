"""What our transfer is held against: easy answers that win one figure and lose another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch

from mst_core.corpora.tunes import TuneEvent
from mst_core.music import TICKS_PER_QUARTER, Melody, Note
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.model import LstmState, StyleModel

# The article's way: the duration network writes freely over given pitches, with no care for bars.
#
# After Pati's article. It is here to be measured against: nothing that is shipped uses it.


def sample_durations(
    pair: StyleModel, heading: TuneHeader, pitches: Sequence[int | None], seeds: Sequence[int]
) -> list[tuple[TuneEvent, ...]]:
    """Draw a duration for each pitch (None is a rest) from the network, once for each seed."""
    lines = [MelodyState(heading, pair.vocabulary) for _ in seeds]
    draws = [np.random.default_rng(seed) for seed in seeds]
    device = next(pair.duration_net.parameters()).device
    state: LstmState | None = None
    ticks = pair.vocabulary.ticks
    with torch.inference_mode():
        for pitch in pitches:
            rows = [
                line.duration_context(line.pitch_context(), line.interval_to(pitch), pitch)
                for line in lines
            ]
            features = torch.tensor(rows, device=device).unsqueeze(1)  # (B, 1, F)
            logits, state = pair.duration_net(features, state)
            shares = torch.softmax(logits[:, 0].double(), dim=-1).cpu().numpy()  # (B, V)
            for line, draw, row in zip(lines, draws, shares, strict=True):
                line.append(pitch, ticks[int(draw.choice(len(row), p=row / row.sum()))])
    return [tuple(line.events) for line in lines]


def shuffle_durations(melody: Melody, seed: int) -> Melody:
    """The same durations in another order; rests stay behind the notes that they followed."""
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
    """The rhythm of another tune laid over the pitches, again from its beginning where it ends."""
    bar = target.meter.bar_length
    round_trip = (
        -int(-(target.notes[-1].end - min(Fraction(0), target.notes[0].onset)) // bar) * bar
    )
    notes = []
    for index, note in enumerate(melody.notes):
        lap, place = divmod(index, len(target.notes))
        model = target.notes[place]
        notes.append(Note(model.onset + lap * round_trip, model.duration, note.pitch))
    return _with_notes(replace(melody, meter=target.meter, meter_changes=()), notes)


def pati_baseline(melody: Melody, pair: StyleModel, seeds: Sequence[int]) -> list[Melody]:
    """The style's duration network over the pitches, sampled freely, once for each seed."""
    bars = 4 * max(1, melody.bar_count) + 8
    heading = TuneHeader.regular(melody.meter, melody.key, bars)
    found = sample_durations(pair, heading, melody.pitches, seeds)
    return [_with_notes(melody, _notes(events)) for events in found]


def _notes(events: Sequence[TuneEvent]) -> list[Note]:
    return [
        Note(Fraction(e.onset, TICKS_PER_QUARTER), Fraction(e.duration, TICKS_PER_QUARTER), e.pitch)
        for e in events
        if e.pitch is not None
    ]


def _with_notes(melody: Melody, notes: Sequence[Note]) -> Melody:
    """Another line of notes in as many bars as it takes."""
    bars = max(1, -int(-notes[-1].end // melody.meter.bar_length))
    return replace(
        melody, notes=tuple(notes), bar_count=bars, sections=(0,), meter_changes=(), repeats=()
    )
