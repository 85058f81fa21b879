"""Transfer of rhythm: every pitch stays, every bar sums exactly, the form stays.

The target's duration network writes drafts over the tune's pitches, one rhythm for each class of
bars (`rhythm_drafts`). For each class the draft is selected with which the whole tune's rhythm is
most similar to the target's (docs/decisions.md#sample-then-select). A path of partial changes then
leads there (`change_path`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mst_core.errors import NoSuchTune
from mst_core.generation.composition import SideResult
from mst_core.music import Melody, Meter, MeterChange, Note
from mst_core.transfer.anticipation import (
    Anticipation,
    anticipated_share,
    anticipation_pieces,
    possible_anticipations,
    select_anticipations,
)
from mst_core.transfer.augmentation import UNSCALED, augment, augmentation_for, augmented_bars
from mst_core.transfer.bar_classes import SectionDrafts, rhythms_in_meter
from mst_core.transfer.change_path import ChangePath, build_path
from mst_core.transfer.meter_map import tempo_ratio, time_map
from mst_core.transfer.rhythm_drafts import DraftWriter
from mst_core.transfer.rhythm_selection import select_rhythms
from mst_core.transfer.rhythm_similarity import RhythmIndex, RhythmSimilarity
from mst_core.transfer.structure import (
    MeterSection,
    bars_held_over_changes,
    bars_with_signs,
    phrase_starts,
    split_by_meter,
    split_duplicates,
    split_long_pickup,
)
from mst_core.transfer.target import RhythmTarget
from mst_core.transfer.time_warp import TimeWarp


@dataclass(frozen=True, slots=True)
class RhythmPath:
    """All versions of a tune from its own rhythm to the target's."""

    source: Melody
    path: ChangePath
    unplayable: int
    """Number of bar groups that stay as they are since the target has no rhythm for them."""
    _sections: tuple[tuple[MeterSection, Meter], ...]
    """Each section of the tune, and the meter that it gets."""
    _times: tuple[tuple[Fraction, Fraction], ...]
    """For each id of a note its onset from the start of its bar group, and its duration."""
    scale: Fraction = UNSCALED
    """Factor of the note values while they were changed (see `augmentation`)."""
    lead_bars: int = 0
    """Whole bars of the pickup, which the sections count as bars (see `split_long_pickup`)."""

    def at(self, strength: float, *, keep_meter_at_zero: bool = False) -> tuple[Melody, SideResult]:
        """The version of a strength.

        Args:
            strength: 0 (the tune's own rhythm) to 1 (the target's).
            keep_meter_at_zero: whether strength 0 is the tune in its old meter; otherwise it is in
                the new one.

        Returns:
            The tune, with the given pitches note for note, and the share of its notes that changed
            and the similarity of its rhythm to the target's.
        """
        if strength == 0 and keep_meter_at_zero:
            return self.source, self.path.results[0]
        values, result = self.path.at(strength)
        return self._melody(values), result

    def _melody(self, values: NDArray[np.int64]) -> Melody:
        """The tune whose notes have the ids (N,)."""
        notes: list[Note] = []
        changes: list[MeterChange] = []
        first_meter = self._sections[0][1]
        section_start = -self.lead_bars * first_meter.bar_length
        for section, meter in self._sections:
            move = time_map(section.meter, meter)
            if section.first_bar and meter != (changes[-1].meter if changes else first_meter):
                changes.append(MeterChange(section.first_bar - self.lead_bars, meter))
            for group in section.groups:
                start = section_start + move(group.start - section.start)
                for note, value in zip(group.notes, values[group.index :], strict=False):
                    onset, duration = self._times[value]
                    notes.append(Note(start + onset, duration, note.pitch))
            section_start += section.bar_count * meter.bar_length
        # A note held over a barline whose end was rounded up may reach into the next bar's rhythm.
        ends = [*(following.onset for following in notes[1:]), notes[-1].end] if notes else []
        notes = [
            Note(n.onset / self.scale, (min(n.end, end) - n.onset) / self.scale, n.pitch)
            for n, end in zip(notes, ends, strict=True)
        ]
        changed = replace(
            self.source, notes=tuple(notes), meter=first_meter, meter_changes=tuple(changes)
        )
        return TimeWarp.between(self.source, changed).retime(self.source, changed)


def build_rhythm_path(
    melody: Melody,
    target: RhythmTarget,
    *,
    seed: int,
    meter: Meter | None = None,
    keep: frozenset[int] = frozenset(),
    on_progress: Callable[[float], None] = lambda share: None,
) -> RhythmPath:
    """Build the versions of a tune from its own rhythm to a target's.

    Args:
        melody: the given tune.
        target: whose rhythm it gets; its ``config`` holds for the whole transfer.
        seed: of the drafts.
        meter: that every bar gets; None for the target's choice for each section.
        keep: bars, counted from 0, that stay as they are; in another meter they are stretched.
        on_progress: called with the share done, 0 to 1.

    Returns:
        The path. The same arguments give the same path.

    Raises:
        NoSuchTune: when the target has rhythms for hardly any of its bars.
    """
    scale = UNSCALED if meter else augmentation_for(melody, target)
    source = melody
    augmented = augment(melody, scale)
    melody, lead_bars = split_long_pickup(augmented)
    groups = [group for section in split_by_meter(augmented) for group in section.groups]
    keep = augmented_bars(keep, scale) | bars_with_signs(augmented, groups)
    keep = frozenset(bar + lead_bars for bar in keep)
    if scale > 1:
        target = target.on_coarser_grid()
    sections = split_by_meter(melody)
    keep |= split_duplicates(melody, sections) | bars_held_over_changes(melody, sections)
    if meter is None:
        meters, passing = _choose_meters(sections, target)
        keep |= passing
    else:
        meters = (meter,) * len(sections)
    tempo = source.tempo * float(scale)
    drafts, unplayable = _write_drafts(
        melody, target, tempo, sections, meters, seed, keep, on_progress
    )

    def note_step() -> None:
        on_progress(1.0)  # the drafts are written; the rest only chooses

    n_groups = sum(bool(group.notes) for section in sections for group in section.groups)
    if unplayable > target.config.max_unplayable_in_tune * n_groups:
        raise NoSuchTune(f"{target.name} has no rhythm for most of these bars")
    own = np.zeros(len(melody.notes), dtype=np.int64)
    for each in drafts:
        for group, rhythm in zip(each.section.groups, each.rhythms, strict=True):
            own[group.index : group.index + len(rhythm)] = each.rhythm_ids(group, rhythm)
    rhythm_index = drafts[0].rhythm_index
    classes = [bar_class for each in drafts for bar_class in each.bar_classes(len(melody.notes))]
    similarity = RhythmSimilarity(
        rhythm_index,
        [each.similarity_target(len(melody.notes)) for each in drafts],
        own,
        target.config,
    )
    chosen = select_rhythms(own, classes, similarity.of_whole_draft, target.config, note_step)
    selected: list[Anticipation] = []
    if scale == UNSCALED and classes and _style_anticipates(drafts):
        whole = own.copy()
        for bar_class, rhythm in zip(classes, chosen, strict=True):
            whole[bar_class.notes] = bar_class.ids(rhythm)
        share = target.config.anticipated_bars * melody.bar_count
        selected = select_anticipations(
            whole,
            classes,
            chosen,
            possible_anticipations(sections, classes, phrase_starts(melody)),
            similarity.of_whole_draft,
            share,
            target.config,
            note_step,
        )
    pieces = [
        piece
        for bar_class, rhythm in zip(classes, chosen, strict=True)
        for piece in bar_class.change_pieces(rhythm, len(melody.notes))
    ]
    pieces += anticipation_pieces(selected, classes, chosen, pieces)
    return RhythmPath(
        source,
        build_path(own, pieces, similarity, target.config, note_step),
        unplayable,
        tuple(zip(sections, meters, strict=True)),
        tuple(rhythm_index.times),
        scale,
        lead_bars,
    )


def _style_anticipates(drafts: Sequence[SectionDrafts]) -> bool:
    """Whether the target is a style whose bars often begin early."""
    target = drafts[0].target
    return target.reference_tune is None and all(
        anticipated_share(target.meter_statistics(each.meter), each.bar_ticks)
        >= target.config.min_anticipated_share
        for each in drafts
    )


def _choose_meters(
    sections: Sequence[MeterSection], target: RhythmTarget
) -> tuple[tuple[Meter, ...], frozenset[int]]:
    """The meter of each section, and the bars that stay as they are.

    A passing bar in a meter that the target lacks, such as one of 6/8 in a tune in 4/4, stays.
    """
    config = target.config
    passing = [
        section
        for section in sections
        if section.bar_count <= config.max_passing_bars and not target.supports_meter(section.meter)
    ]
    n_bars = sum(section.bar_count for section in sections)
    kept = frozenset(
        bar
        for section in passing
        for bar in range(section.first_bar, section.first_bar + section.bar_count)
    )
    if len(kept) > config.max_passing_share * n_bars:
        passing, kept = [], frozenset()
    meters = tuple(
        section.meter if section in passing else target.meter_for(section.meter)
        for section in sections
    )
    return meters, kept


def _write_drafts(
    melody: Melody,
    target: RhythmTarget,
    tempo: float,
    sections: tuple[MeterSection, ...],
    meters: tuple[Meter, ...],
    seed: int,
    keep: frozenset[int],
    on_progress: Callable[[float], None],
) -> tuple[list[SectionDrafts], int]:
    """The drafts of each section, and the number of bar groups without a rhythm in the tune."""
    rhythm_index = RhythmIndex()
    starts = phrase_starts(melody)
    targets: dict[Fraction, list[RhythmTarget]] = {}
    """By the factor of the tempo, with wider and wider coverage."""
    unplayable = 0
    found: list[SectionDrafts] = []
    for number, (section, meter) in enumerate(zip(sections, meters, strict=True)):
        own = rhythms_in_meter(section, meter)
        ratio = tempo_ratio(section.meter, meter)
        if ratio not in targets:
            targets[ratio] = list(target.at_tempo(tempo * float(ratio)).with_wider_coverage())
        for wide in targets[ratio]:
            writer = DraftWriter(section, wide, meter, own, keep, starts)
            if writer.unplayable <= target.config.max_unplayable * len(section.groups):
                break

        def report(share: float, done: int = number) -> None:
            on_progress((done + share) / len(sections))

        drafts = writer.write((seed, number), report)
        unplayable += writer.unplayable
        found.append(
            SectionDrafts(
                number,
                section,
                meter,
                targets[ratio][0],
                rhythm_index,
                own,
                writer.classes,
                drafts,
                (seed, number),
            )
        )
    return found, unplayable
