"""Transfer of pitch: the rhythm stays to the tick, and so does the form.

The target's pitch network writes drafts over the tune's rhythm. Classes of bars (see `structure`)
are written once; where a bar of the class was transposed, it is transposed again. The range and the
tonic stay, long notes at the end of a phrase are of the key's triad, and the last note stays. The
selection of drafts and the path of partial changes are those of rhythm (`change_path`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import OCTAVE, REST_TOKEN
from mst_core.generation.candidates import stepwise_decoder
from mst_core.generation.sampling import sample_top_p
from mst_core.music import GraceNotes, Key, Melody
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.transfer.change_path import Alternatives, ChangePath, build_path, select_drafts
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.pitch_similarity import (
    PitchSimilarity,
    folded_intervals,
    next_interval_probabilities,
)
from mst_core.transfer.structure import BarGroup, split_by_meter, split_duplicates
from mst_core.transfer.target import PitchTarget

_STREAM = 7
"""Keeps the random numbers of pitch drafts apart from those of rhythm drafts with the same seed."""


def with_pitches(melody: Melody, pitches: NDArray[np.int64]) -> Melody:
    """A tune of N notes with other pitches: MIDI numbers, (N,).

    Args:
        melody: a tune of N notes.
        pitches: one for each note, in their order.
    """
    notes = tuple(
        replace(note, pitch=int(pitch)) for note, pitch in zip(melody.notes, pitches, strict=True)
    )
    grace_notes = tuple(
        _moved_with(grace, notes[grace.note].pitch - melody.notes[grace.note].pitch)
        for grace in melody.grace_notes
    )
    return replace(melody, notes=notes, grace_notes=grace_notes)


def _moved_with(grace: GraceNotes, semitones: int) -> GraceNotes:
    """Grace notes moved by as much as their note, within the range of MIDI."""
    pitches = tuple(
        pitch + semitones if 0 <= pitch + semitones <= 127 else pitch for pitch in grace.pitches
    )
    return replace(grace, pitches=pitches)


def build_pitch_path(
    melody: Melody,
    target: PitchTarget,
    *,
    seed: int,
    keep: frozenset[int] = frozenset(),
    on_progress: Callable[[float], None] = lambda share: None,
) -> ChangePath:
    """Build the versions of a tune from its own pitches to a target's.

    Args:
        melody: the given tune.
        target: whose pitches it gets; its ``config`` holds for the whole transfer.
        seed: of the drafts.
        keep: bars, counted from 0, whose pitches stay.
        on_progress: called with the share done, 0 to 1.

    Returns:
        The path; its values are MIDI numbers, see `with_pitches`. The same arguments give the same
        path.
    """
    config = target.config
    own = np.array(melody.pitches, dtype=np.int64)
    constraints = _PitchConstraints(melody, keep)
    similarity = PitchSimilarity(
        melody.key,
        target.weighted_statistics,
        [style.statistics for style in target.contrast_styles],
        own,
        config,
    )
    drafts = _write_drafts(constraints, target, seed, on_progress)

    def note_step() -> None:
        on_progress(1.0)  # the drafts are written; the rest only chooses

    classes = [
        Alternatives(notes, tuple(draft[notes] for draft in drafts))
        for notes in constraints.classes
    ]
    picks = select_drafts(own, classes, similarity, config, note_step)
    pieces = [
        Alternatives(part, (own[part], drafts[pick][part]))
        for bar_class, pick in zip(classes, picks, strict=True)
        for part in _short_pieces(bar_class.notes, config.max_piece_notes)
        if (own[part] != drafts[pick][part]).any()
    ]
    return build_path(own, pieces, similarity, config, note_step)


def _short_pieces(notes: NDArray[np.int64], max_notes: int) -> list[NDArray[np.int64]]:
    """The notes (P, M) of a class cut into pieces (P, m) of at most ``max_notes`` each."""
    count = -(-notes.shape[1] // max_notes)
    return [np.ascontiguousarray(part) for part in np.array_split(notes, count, axis=1)]


class _PitchConstraints:
    """A tune's events, and for each of its notes which pitches are open."""

    def __init__(self, melody: Melody, keep: frozenset[int]) -> None:
        self.melody = melody
        self.tune: CorpusTune = CorpusTune.from_melody(melody)
        pitches = melody.pitches
        self.lowest, self.highest = min(pitches), max(pitches)
        self.copies: dict[int, tuple[int, int]] = {}
        """For a copied note the index of the note that it copies, and the semitones above it."""
        self.fixed: set[int] = {len(pitches) - 1}
        """Notes that keep their pitch."""
        self.cadential: set[int] = set()
        """Notes that must be of the key's triad."""
        self.transpositions: dict[int, list[int]] = {}
        """For a written note the semitones of each of its copies above it."""
        groups_of: dict[tuple[object, ...], list[BarGroup]] = {}
        sections = split_by_meter(melody)
        keep |= split_duplicates(melody, sections)
        for group in (group for section in sections for group in section.groups):
            inside = range(group.index, group.index + len(group.notes))
            if any(
                bar in keep for bar in range(group.first_bar, group.first_bar + group.bar_count)
            ):
                self.fixed |= set(inside)
            elif group.notes:
                groups_of.setdefault(group.class_key, []).append(group)
                if group.ends_with_long_note:
                    self.cadential.add(inside[-1])
        self.classes: list[NDArray[np.int64]] = []
        """The notes (P, M) of each class."""
        for groups in groups_of.values():
            self._add_class(groups)

    def _add_class(self, groups: Sequence[BarGroup]) -> None:
        """Let the groups of a class copy the first of them."""
        first, width = groups[0], len(groups[0].notes)
        starts = np.array([group.index for group in groups], dtype=np.int64)
        self.classes.append(starts[:, None] + np.arange(width))
        n_notes = len(self.melody.notes)
        ends_tune = any(group.index + width == n_notes for group in groups)
        for offset in range(width):
            note = first.index + offset
            self.transpositions[note] = [g.notes[0].pitch - first.notes[0].pitch for g in groups]
            if ends_tune and offset == width - 1:
                self.fixed.add(note)
            for group, semitones in zip(groups[1:], self.transpositions[note][1:], strict=True):
                self.copies[group.index + offset] = note, semitones


def _write_drafts(
    constraints: _PitchConstraints,
    target: PitchTarget,
    seed: int,
    on_progress: Callable[[float], None],
) -> list[NDArray[np.int64]]:
    """Drafts of all pitches, (N,) each."""
    config = target.config
    tune, model = constraints.tune, target.style.model
    affordable = config.max_pitch_draft_events // (len(tune.events) + 1)
    n_drafts = max(config.min_pitch_drafts, min(config.pitch_drafts, affordable))
    header = TuneHeader.from_tune(tune)
    states = [
        MelodyState(header, model.vocabulary, start=tune.events[0].onset) for _ in range(n_drafts)
    ]
    rngs = [np.random.default_rng((seed, _STREAM, draft)) for draft in range(n_drafts)]
    written: list[list[int]] = [[] for _ in range(n_drafts)]
    prior = None
    if target.statistics_of_tune is not None:
        prior = next_interval_probabilities(target.statistics_of_tune, config)
    step = stepwise_decoder(model.pitch_net)
    for count, event in enumerate(tune.events):
        logits = step([state.pitch_context() for state in states])
        for draft, state in enumerate(states):
            pitch = event.pitch
            if pitch is not None:
                pitch = _sample_pitch(
                    constraints, written[draft], logits[draft], rngs[draft], prior, config
                )
                written[draft].append(pitch)
            state.append(pitch, event.duration)
        on_progress((count + 1) / len(tune.events))
    return [np.array(pitches, dtype=np.int64) for pitches in written]


def _sample_pitch(
    constraints: _PitchConstraints,
    written: Sequence[int],
    logits: NDArray[np.float64],
    rng: np.random.Generator,
    prior: NDArray[np.float64] | None,
    config: TransferConfig,
) -> int:
    """Sample the next pitch: ``logits`` are (V,) over interval tokens, ``prior`` is (25, 25)."""
    note = len(written)
    own = constraints.melody.notes[note].pitch
    if note in constraints.fixed:
        return own
    if note in constraints.copies:
        copied, semitones = constraints.copies[note]
        return written[copied] + semitones
    last = written[-1] if written else own
    pitches = last + np.arange(-OCTAVE, OCTAVE + 1)
    transpositions = constraints.transpositions[note]
    is_open = (pitches + min(transpositions) >= constraints.lowest) & (
        pitches + max(transpositions) <= constraints.highest
    )
    if note in constraints.cadential or not written:
        scale = constraints.melody.key.scale
        in_triad = is_open & np.isin(pitches % OCTAVE, [scale[0], scale[2], scale[4]])
        is_open = in_triad if in_triad.any() else is_open
    if not is_open.any():
        return own
    logits = logits[:REST_TOKEN]
    shares = np.exp((logits - logits.max()) / config.pitch_temperature)
    shares /= shares.sum()
    if prior is not None and note > 1:
        before = folded_intervals(np.array(written[-2:]))[0]
        weight = config.interval_prior_weight
        shares = (1 - weight) * shares + weight * prior[before]
    shares = _in_mode(shares, pitches, constraints.melody.key)
    shares = np.where(is_open, shares, 0)
    return int(pitches[sample_top_p(shares, config.pitch_top_p, rng)])


def _in_mode(
    shares: NDArray[np.float64], pitches: NDArray[np.int64], key: Key
) -> NDArray[np.float64]:
    """Move the shares (P,) of ``pitches``, rising by semitones, to the degrees of a key's mode.

    The networks know major and minor: in D dorian they write the B flat of D minor, which is B.
    """
    usual = Key(key.tonic, "minor" if key.is_minor else "major")
    moved = shares.copy()
    for degree, own in zip(usual.scale, key.scale, strict=True):
        step = (own - degree + OCTAVE // 2) % OCTAVE - OCTAVE // 2
        places = np.flatnonzero(pitches % OCTAVE == degree)
        places = places[(places + step >= 0) & (places + step < len(pitches))]
        if step:
            moved[places] -= shares[places]
            moved[places + step] += shares[places]
    return moved
