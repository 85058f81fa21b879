"""Separates the melody of a part from its other notes.

The melody is the top voice of the top staff, of a chord the top note. A voice that visits the other
staff is one voice, and where the top voice has no note in a measure, the melody goes on in another
one. The other notes of the part are returned beside it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from statistics import mean

from mst_core.music import GraceNotes, Note, PartNote
from mst_core.reading.measures import BarLayout
from mst_core.reading.musicxml.part import XmlMeasure, XmlNote, XmlPart
from mst_core.reading.written_meters import ROUNDING

_MIN_VOICE_SHARE = Fraction(1, 4)
"""The top voice has at least this share of the onsets of the fullest voice on its staff."""
_MIN_STAFF_SHARE = Fraction(1, 4)
"""The top staff has notes in at least this share of the measures of the fullest staff."""
_MAX_VOICES = 16  # on a staff that are compared; music has four
_MIN_ABOVE_SHARE = Fraction(3, 5)
"""A later voice is the top one when it lies above in this share of the measures of both."""


@dataclass(frozen=True, slots=True)
class MelodyLine:
    """The melody of a part, and all other notes of the part."""

    notes: tuple[Note, ...]
    grace_notes: tuple[GraceNotes, ...]
    velocities: tuple[int, ...]
    """MIDI velocity of each note."""
    other_notes: tuple[PartNote, ...]
    chord_count: int
    """Chords of which the top note was taken."""
    voice_count: int
    """Voices of the part."""
    followed_count: int
    """Measures in which the melody goes on in another voice."""
    shortened_count: int
    """Notes that were ended where the next note of the voice begins."""


def extract_melody(part: XmlPart, layout: BarLayout) -> MelodyLine:
    """Separate the melody of a part from its other notes.

    Args:
        part: The part with the melody.
        layout: The bars in which its measures are placed.

    Returns:
        The melody, in which no notes overlap, and the other notes.
    """
    joined = _voices_over_staves(part.measures)
    measures = [_by_voice(measure, joined) for measure in part.measures]
    staves = _home_staves(part.measures, joined)
    main = _main_voice(measures, staves)
    chords: dict[Fraction, list[XmlNote]] = {}  # of the melody, by onset
    others: list[XmlNote] = []
    chosen = _choose_voices(measures, staves, main)
    fillers = [
        _fillers(measure, voices, voice, staves, joined)
        for measure, voices, voice in zip(part.measures, measures, chosen, strict=True)
    ]
    for measure, written, note in _from_first_downbeat(part, layout):
        is_melody = _voice_of(note, joined) == chosen[measure] or written in fillers[measure]
        if is_melody and not note.drum:
            chords.setdefault(note.onset, []).append(note)
        else:
            others.append(note)
    line: list[XmlNote] = []
    shortened = 0
    for onset in sorted(chords):
        top = max(chords[onset], key=lambda each: (each.pitch, each.duration))
        others.extend(each for each in chords[onset] if each is not top)
        beyond = line[-1].onset + line[-1].duration - onset if line else 0
        if beyond > 0:
            rounded = beyond < ROUNDING
            line[-1] = line[-1]._replace(
                duration=onset - line[-1].onset, tie_start=rounded and line[-1].tie_start
            )
            shortened += not rounded
        graces = max((each.graces for each in chords[onset]), key=len)
        line.append(top._replace(graces=graces))
    notes = _join_tied(line)
    return MelodyLine(
        notes=tuple(Note(each.onset, each.duration, each.pitch) for each in notes),
        grace_notes=tuple(
            GraceNotes(number, each.graces) for number, each in enumerate(notes) if each.graces
        ),
        velocities=tuple(each.velocity for each in notes),
        other_notes=_to_part_notes(others),
        chord_count=sum(len({each.pitch for each in chord}) > 1 for chord in chords.values()),
        voice_count=len(staves),
        followed_count=sum(
            voice not in (None, main) or bool(filler)
            for voice, filler in zip(chosen, fillers, strict=True)
        ),
        shortened_count=shortened,
    )


def extract_notes(part: XmlPart, layout: BarLayout) -> tuple[PartNote, ...]:
    """Return all notes of a part, tied notes joined.

    Args:
        part: An accompanying part.
        layout: The bars in which its measures are placed.

    Returns:
        Notes by onset; of several that are equal, one.
    """
    return _to_part_notes(note for *_, note in _from_first_downbeat(part, layout))


def _voices_over_staves(measures: Sequence[XmlMeasure]) -> frozenset[str]:
    """The voices that are one line over several staves, not one of each staff that sound together.

    Some programs number the voices of each staff from 1; others give every voice of the part a
    number of its own, and write the notes that visit the other staff with that number.
    """
    staves: defaultdict[str, set[str]] = defaultdict(set)
    shared: Counter[str] = Counter()  # measures in which a voice has notes on several staves
    together: Counter[str] = Counter()  # those in which they sound together
    for measure in measures:
        ends: dict[str, dict[str, list[XmlNote]]] = {}
        for note in measure.notes:
            staff, voice = note.voice
            staves[voice].add(staff)
            ends.setdefault(voice, {}).setdefault(staff, []).append(note)
        for voice, by_staff in ends.items():
            if len(by_staff) > 1:
                shared[voice] += 1
                together[voice] += _sound_together(by_staff)
    return frozenset(
        voice
        for voice, own in staves.items()
        if len(own) > 1 and shared[voice] and 2 * together[voice] < shared[voice]
    )


def _sound_together(by_staff: Mapping[str, Sequence[XmlNote]]) -> bool:
    """Whether a note on one staff begins while a note on another one sounds."""
    spans = sorted(
        (note.onset, note.onset + note.duration, staff)
        for staff, notes in by_staff.items()
        for note in notes
    )
    # Of the staves so far the one that sounds longest; of the others the latest end.
    longest, until, until_elsewhere = "", spans[0][0], spans[0][0]
    for onset, end, staff in spans:
        if onset < (until_elsewhere if staff == longest else until):
            return True
        if staff == longest:
            until = max(until, end)
        elif end > until:
            longest, until, until_elsewhere = staff, end, until
        else:
            until_elsewhere = max(until_elsewhere, end)
    return False


def _voice_of(note: XmlNote, joined: frozenset[str]) -> tuple[str, str]:
    """Staff and voice of a note, without the staff where the voice is one over several staves."""
    return ("", note.voice[1]) if note.voice[1] in joined else note.voice


def _by_voice(measure: XmlMeasure, joined: frozenset[str]) -> dict[tuple[str, str], list[XmlNote]]:
    """The pitched notes of a measure by their voice."""
    voices: dict[tuple[str, str], list[XmlNote]] = {}
    for note in measure.notes:
        if not note.drum:
            voices.setdefault(_voice_of(note, joined), []).append(note)
    return voices


def _home_staves(
    measures: Sequence[XmlMeasure], joined: frozenset[str]
) -> dict[tuple[str, str], str]:
    """The staff on which each voice has most of its notes, the upper one of two."""
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for measure in measures:
        for note in measure.notes:
            if not note.drum:
                counts[_voice_of(note, joined)][note.voice[0]] += 1
    return {
        voice: max(sorted(staves, key=_number), key=lambda staff: staves[staff])
        for voice, staves in counts.items()
    }


def _main_voice(
    measures: Sequence[Mapping[tuple[str, str], Sequence[XmlNote]]],
    staves: Mapping[tuple[str, str], str],
) -> tuple[str, str]:
    """The voice that has the melody of a part: on the top staff, the first, or one above it."""
    onsets: Counter[tuple[str, str]] = Counter()
    present: Counter[str] = Counter()  # measures by staff
    for voices in measures:
        present.update({staves[voice] for voice in voices})
        for voice, notes in voices.items():
            onsets[voice] += len({note.onset for note in notes})
    most = max(present.values(), default=0)
    sizes: Counter[str] = Counter()  # onsets by staff
    for voice, count in onsets.items():
        sizes[staves[voice]] += count
    full_staves = [
        staff
        for staff, count in present.items()
        if count >= _MIN_STAFF_SHARE * most and sizes[staff] >= min(2, max(sizes.values()))
    ]
    top_staff = min(full_staves, key=_number, default="1")
    on_top = sorted(
        (voice for voice, staff in staves.items() if staff == top_staff),
        key=lambda voice: _number(voice[1]),
    )
    fullest = max((onsets[voice] for voice in on_top), default=0)
    full = [voice for voice in on_top if onsets[voice] >= _MIN_VOICE_SHARE * fullest]
    main = full[0] if full else ("1", "1")
    for voice in full[1:_MAX_VOICES]:
        shared = [each for each in measures if voice in each and main in each]
        above = sum(_mean_top(each[voice]) > _mean_top(each[main]) for each in shared)
        if shared and 2 * onsets[voice] >= onsets[main] and above >= _MIN_ABOVE_SHARE * len(shared):
            main = voice
    return main


def _choose_voices(
    measures: Sequence[Mapping[tuple[str, str], Sequence[XmlNote]]],
    staves: Mapping[tuple[str, str], str],
    main: tuple[str, str],
) -> list[tuple[str, str] | None]:
    """The voice that has the melody in each measure; None where it rests.

    Where the main voice is silent, a voice beside it on its staff goes on. Where its staff is
    silent, between its notes, a single line on another staff does, if it lies no lower than usual.
    """
    chosen: list[tuple[str, str] | None] = []
    for voices in measures:
        beside = [voice for voice in voices if staves[voice] == staves.get(main)]
        top = max(beside, key=lambda voice: _mean_top(voices[voice]), default=None)
        chosen.append(main if main in voices else top)
    played = [index for index, voice in enumerate(chosen) if voice]
    silent = [index for index in range(*(played[:1] + played[-1:])) if chosen[index] is None]
    means = _mean_pitches(measures)
    for index in silent:
        voices = measures[index]
        lines = [
            voice
            for voice, notes in voices.items()
            if len({note.onset for note in notes}) == len(notes)
            and mean(note.pitch for note in notes) >= means[voice]
        ]
        if len(voices) == 1 and lines:
            chosen[index] = lines[0]
    return chosen


def _fillers(
    measure: XmlMeasure,
    voices: Mapping[tuple[str, str], Sequence[XmlNote]],
    voice: tuple[str, str] | None,
    staves: Mapping[tuple[str, str], str],
    joined: frozenset[str],
) -> frozenset[XmlNote]:
    """The notes of another voice on the staff with which the melody goes on within a measure.

    They begin where the voice of the melody has neither a note nor a printed rest; a voice that
    also plays with it accompanies it.
    """
    if voice is None or len(voices) < 2:
        return frozenset()
    spans = [(note.onset, note.onset + note.duration) for note in voices[voice]]
    spans += [
        (onset, end)
        for (staff, number), onset, end in measure.rests
        if voice == (("", number) if number in joined else (staff, number))
    ]
    spans.sort()
    starts = [onset for onset, _ in spans]
    covered = list(accumulate((end for _, end in spans), max))
    found: dict[tuple[str, str], Sequence[XmlNote]] = {}
    for other, notes in voices.items():
        if other == voice or staves[other] != staves[voice]:
            continue
        before = [bisect_right(starts, note.onset) for note in notes]
        together = (
            index and covered[index - 1] > note.onset
            for index, note in zip(before, notes, strict=True)
        )
        if not any(together):
            found[other] = notes
    highest = max(found, key=lambda each: _mean_top(found[each]), default=None)
    return frozenset(found[highest]) if highest else frozenset()


def _mean_pitches(
    measures: Sequence[Mapping[tuple[str, str], Sequence[XmlNote]]],
) -> dict[tuple[str, str], float]:
    """Mean MIDI number of the notes of each voice."""
    totals: Counter[tuple[str, str]] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    for voices in measures:
        for voice, notes in voices.items():
            totals[voice] += sum(note.pitch for note in notes)
            counts[voice] += len(notes)
    return {voice: totals[voice] / counts[voice] for voice in counts}


def _mean_top(notes: Sequence[XmlNote]) -> float:
    """Mean MIDI number of the highest notes at each onset of a measure."""
    tops: dict[Fraction, int] = {}
    for note in notes:
        tops[note.onset] = max(note.pitch, tops.get(note.onset, 0))
    return mean(tops.values())


def _to_part_notes(notes: Iterable[XmlNote]) -> tuple[PartNote, ...]:
    """Join the tied notes of any number of voices; of several equal notes keep one."""
    in_order = sorted(
        notes,
        key=lambda each: (each.onset, each.duration, each.pitch, each.tie_start, each.tie_stop),
    )
    distinct = {
        (each.onset, each.duration, each.pitch): each.velocity for each in _join_tied(in_order)
    }
    return tuple(PartNote(*place, velocity) for place, velocity in sorted(distinct.items()))


def _join_tied(notes: Iterable[XmlNote]) -> list[XmlNote]:
    """Make one note of tied notes; ``notes`` must be in order of onset, and the result is too."""
    joined: list[XmlNote] = []
    open_ties: dict[int, int] = {}  # pitch: index in ``joined`` of the note that is tied onward
    for note in notes:
        index = open_ties.pop(note.pitch, None)
        before = joined[index] if index is not None else None
        joins = before and note.tie_stop and before.onset + before.duration == note.onset
        if before and index is not None and joins:
            joined[index] = before._replace(duration=before.duration + note.duration)
        else:
            index = len(joined)
            joined.append(note)
        if note.tie_start:
            open_ties[note.pitch] = index
    return joined


def _from_first_downbeat(
    part: XmlPart, layout: BarLayout
) -> Iterator[tuple[int, XmlNote, XmlNote]]:
    """Yield measure, note as it is written, and note with its onset from the first downbeat.

    A note that a rounding error leads beyond its bar ends with the bar.
    """
    for index, start, length in layout.placements:
        for note in part.measures[index].notes if index < len(part.measures) else ():
            over = note.onset + note.duration - length
            short = note.duration - over if 0 < over <= ROUNDING else note.duration
            placed = note._replace(
                onset=start + note.onset, duration=short if short > 0 else note.duration
            )
            yield index, note, placed


def _number(name: str) -> tuple[float, str]:
    """Sort key of a staff or voice: by number, names without a number last."""
    number, _, layer = name.partition(".")
    return (int(number) + (0.5 if layer else 0) if number.isdecimal() else 1e6, name)
