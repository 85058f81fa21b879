"""Ranks the parts of a score by how likely each is the tune, whatever the format of the file.

Evidence is the name of a part, karaoke words that coincide with its notes, its instrument, its
place, and its notes: one at a time, on top, in the register of a voice, in steps, at a singable
pace, for a good share of the piece. The weights were fitted to labeled files and rounded
(``tests/tools/melody_parts.py`` measures them).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import groupby, pairwise
from statistics import fmean

from mst_core.reading.parsed_score import PartCandidate
from mst_core.reading.part_names import PartRole, find_role

_BASSES = frozenset({*range(32, 40), 43, 58})
"""General MIDI programs: basses, contrabass, tuba."""
_SINGING_INSTRUMENTS = frozenset({22, 40, 53, 54, 56, 105, 110, *range(64, 80)})
"""General MIDI programs: harmonica, violin, voices, trumpet, banjo, fiddle, reeds and pipes."""
_BACKGROUNDS = frozenset({*range(88, 104), *range(112, 128), 47, 55})
"""General MIDI programs: pads, effects, percussion, timpani, orchestra hit."""
_STATED_REASONS = 3  # at most, in the remark
_MIN_SYLLABLES = 8
_USUAL_COVERAGE = 0.25
"""Share of the syllables that a voice has at least: some programs write an event a letter."""
_SYLLABLE_TOLERANCE = 0.13  # quarter notes between a syllable and its note
_DOUBLING_SHARE = 0.9  # of the notes of a part that another part plays too
_CONTINUATION_SHARE = 0.8
"""Of what a part plays, the share in the rests of the melody from which it goes on with it."""
_LEAST_CONTINUATION = 0.2  # of the stretches of the melody
_FEWEST_CONTINUED = 3  # stretches of four quarter notes
_LOWEST_CONTINUATION = 55  # mean MIDI number


@dataclass(frozen=True, slots=True)
class PartDescription:
    """A part of a score as every format can describe it."""

    label: str
    """What people call it, never empty: its name or its instrument."""
    name: str
    """As the file names it; empty where it does not. Never a name of ours."""
    program: int | None
    """General MIDI program, 0 to 127; None where the file names none."""
    drums: bool
    notes: Sequence[tuple[float, float, int, int]]
    """Onset and end in quarter notes, MIDI number and velocity of each note, by onset."""
    sung: float = 0.0
    """Share of its onsets at which a syllable of the words stands, 0 to 1 (`sung_share`)."""


@dataclass(frozen=True, slots=True)
class MelodyPartConfig:
    """Weights of the evidence that a part is the tune, in natural logarithms of odds."""

    tune_name: float = 4.0
    """Its name says that it is the melody: vocals, melody, Gesang."""
    lead_name: float = 1.5
    """Its name is that of a leading instrument: lead, solo, right hand."""
    second_name: float = -2.0
    """Its name is that of another voice: backing vocals, harmony, voice 2."""
    section_name: float = -0.75
    """Its name is that of a section: strings."""
    accompaniment_name: float = -2.5
    """Its name is that of an accompaniment: bass, pad, chords, rhythm guitar, left hand."""
    sung: float = 5.0
    """All its onsets have a syllable, against half of them."""
    monophony: float = 2.25
    """One note sounds at a time throughout, against never."""
    share: float = 2.1
    """It sounds in all stretches of four quarters, against none."""
    passing: float = -1.5
    """It sounds in less than `passing_share` of them: a part of a few bars is not the tune. Each
    halving of its share counts again."""
    top: float = 2.2
    """At all its onsets nothing sounds above it, against at none."""
    octave_low: float = -1.5
    """An octave of its mean pitch below `low_pitch`."""
    steps: float = 0.75
    """All its intervals are steps and thirds, against none."""
    leap: float = -1.5
    """Its mean interval is an octave, against 0."""
    slow: float = -0.5
    """Its pace is half as fast as `slow_pace`; each further halving counts again."""
    rhythm: float = 1.1
    """4 bits of entropy of its distances between onsets: no ostinato."""
    loudness: float = 0.65
    """It is louder by 30 of velocity than another part."""
    first: float = 1.0
    """It is the first part of the file that is no drums."""
    bass: float = -0.85
    """Its instrument is a bass."""
    background: float = -0.5
    """Its instrument is a pad, an effect or percussion."""
    singing: float = 0.95
    """Its instrument is a voice or sings like one: flute, fiddle, trumpet, saxophone."""
    few_pitches: float = -2.5
    """It has half as many pitches as `few_pitch_count`; a quarter counts twice."""
    passing_share: float = 0.2
    """Of the stretches of four quarters."""
    low_pitch: float = 60.0
    """MIDI number."""
    slow_pace: float = 1.0
    """Onsets a second while it plays."""
    few_pitch_count: int = 5
    near: float = 0.25
    """Share of the probability from which the second part is offered beside the first."""


_CONFIG = MelodyPartConfig()


def rank_parts(
    parts: Sequence[PartDescription], *, tempo: float, config: MelodyPartConfig = _CONFIG
) -> tuple[tuple[PartCandidate, ...], tuple[str, ...]]:
    """Rank the parts of a score by how likely they are its melody.

    Args:
        parts: all parts of the file, in its order.
        tempo: quarter notes a minute.
        config: the weights.

    Returns:
        The parts that are no drums and have two onsets, best first, each with its number from 1 and
        as its score the probability that it is the melody; and the reasons for the first, the
        strongest first, in words.
    """
    playable = [
        index
        for index, part in enumerate(parts)
        if not part.drums and len({note[0] for note in part.notes}) > 1
    ]
    if not playable:
        return (), ()
    top_shares = _top_shares([parts[index] for index in playable])
    start = min(parts[index].notes[0][0] for index in playable)
    end = max(note[1] for index in playable for note in parts[index].notes)
    loudest = max(_mean_velocity(parts[index]) for index in playable)
    evidence: dict[int, list[tuple[float, str]]] = {}
    for index, top_share in zip(playable, top_shares, strict=True):
        part = parts[index]
        evidence[index] = [
            *_name_evidence(part, config),
            *_note_evidence(part, start, end, tempo, config),
            (config.top * top_share, "it lies on top"),
            (config.loudness * (_mean_velocity(part) - loudest) / 30, ""),
            (config.first * (index == playable[0]), ""),
        ]
    sums = {index: sum(weight for weight, _ in found) for index, found in evidence.items()}
    best = max(sums.values())
    odds = {index: math.exp(total - best) for index, total in sums.items()}
    ranked = sorted(playable, key=lambda index: (-sums[index], index))
    candidates = tuple(
        PartCandidate(
            index + 1,
            parts[index].label,
            len(parts[index].notes),
            round(odds[index] / sum(odds.values()), 3),
        )
        for index in ranked
    )
    return candidates, tuple(_reasons([evidence[index] for index in ranked]))


def describe_choice(
    candidates: Sequence[PartCandidate],
    reasons: Sequence[str],
    *,
    noun: str,
    parts: Sequence[PartDescription],
    config: MelodyPartConfig = _CONFIG,
) -> Iterator[str]:
    """Yield remarks about the choice of a part: why it was taken, and which others come near.

    Args:
        candidates: as ranked.
        reasons: for the first of them.
        noun: what the format calls a part: ``Track``, ``Part`` or ``Voice``.
        parts: all parts of the file; one that doubles the first candidate is not offered.
        config: says what is near.

    Yields:
        Sentences; none where there was no choice.
    """
    if len(candidates) < 2:
        return
    first, *others = candidates
    why = ", ".join(reasons) or "it fits best of all"
    yield f"{noun} {first.number} of {len(parts)} ({first.name}) was taken as the melody: {why}."
    tune = parts[first.number - 1]
    near = [
        each
        for each in others
        if each.score >= config.near and not _doubles(parts[each.number - 1], tune)
    ]
    if near:
        names = " or ".join(f"{noun.lower()} {each.number} ({each.name})" for each in near)
        yield f"It may also be {names}: to take that one, set the option track to {near[0].number}."


def find_continuation(
    parts: Sequence[PartDescription], candidates: Sequence[PartCandidate]
) -> PartCandidate | None:
    """Find the part that may go on with the tune where the first of the candidates rests.

    Args:
        parts: all parts of the file.
        candidates: ranked; the first one is the melody.

    Returns:
        A part that plays a single line almost only while the melody is silent; None without one.
    """
    if len(candidates) < 2:
        return None
    melody = _onset_stretches(parts[candidates[0].number - 1])
    for candidate in candidates[1:]:
        part = parts[candidate.number - 1]
        stretches = _onset_stretches(part)
        alone = stretches - melody
        if (
            len(alone) >= max(_LEAST_CONTINUATION * len(melody), _FEWEST_CONTINUED)
            and len(alone) >= _CONTINUATION_SHARE * len(stretches)
            and find_role(part.name) in (PartRole.TUNE, PartRole.LEAD, PartRole.UNKNOWN)
            and part.program not in _BASSES | _BACKGROUNDS
            and fmean(note[2] for note in part.notes) >= _LOWEST_CONTINUATION
            and _texture(part.notes, part.notes[0][0])[0] >= _CONTINUATION_SHARE
        ):
            return candidate
    return None


def describe_continuation(
    parts: Sequence[PartDescription], candidates: Sequence[PartCandidate], *, noun: str
) -> Iterator[str]:
    """Yield a remark about a part that may go on with the tune, where that is kept beside it.

    Args:
        parts: all parts of the file.
        candidates: ranked; the first one is the melody.
        noun: what the format calls a part.

    Yields:
        One sentence, or none.
    """
    if other := find_continuation(parts, candidates):
        yield (
            f"Where the melody rests, {noun.lower()} {other.number} ({other.name}) plays, which "
            "may go on with it; it is kept beside it."
        )


def _doubles(part: PartDescription, tune: PartDescription) -> bool:
    """Whether a part plays the notes of another in unison or octaves."""
    notes = {(round(note[0], 2), note[2] % 12) for note in tune.notes}
    same = sum((round(note[0], 2), note[2] % 12) in notes for note in part.notes)
    return same >= _DOUBLING_SHARE * len(part.notes)


def _onset_stretches(part: PartDescription) -> set[int]:
    """Indices of the stretches of four quarter notes in which notes of a part begin."""
    return {int(note[0] // 4) for note in part.notes}


def sung_share(onsets: Sequence[float], syllables: Sequence[float]) -> float:
    """Return the share of onsets at which a syllable of the words stands.

    Args:
        onsets: of a part, in quarter notes, rising.
        syllables: times of the syllables in quarter notes, rising.

    Returns:
        0 to 1, of the onsets in stretches that have words, for often only the refrain has; less
        where the part has few of the syllables, so that a figure of three notes is not taken for
        the voice.
    """
    stretches = {int(syllable // 4) for syllable in syllables}
    onsets = [onset for onset in onsets if int(onset // 4) in stretches]
    if len(syllables) < _MIN_SYLLABLES or not onsets:
        return 0.0
    sung = sum(_is_near(onset, syllables) for onset in onsets) / len(onsets)
    covered = sum(_is_near(syllable, onsets) for syllable in syllables) / len(syllables)
    return sung * min(1.0, covered / _USUAL_COVERAGE)


def _is_near(time: float, times: Sequence[float]) -> bool:
    index = bisect_left(times, time - _SYLLABLE_TOLERANCE)
    return index < len(times) and times[index] <= time + _SYLLABLE_TOLERANCE


def _reasons(evidence: Sequence[Sequence[tuple[float, str]]]) -> list[str]:
    """The reasons in which the first part is better than the best of the others."""
    weights = [{reason: weight for weight, reason in found if reason} for found in evidence]
    others = weights[1:2]
    gains = {
        reason: weight - max((other.get(reason, 0.0) for other in others), default=0.0)
        for reason, weight in weights[0].items()
        if weight > 0
    }
    strongest = sorted(gains, key=lambda reason: -gains[reason])
    return [reason for reason in strongest if gains[reason] > 0][:_STATED_REASONS]


def _name_evidence(part: PartDescription, config: MelodyPartConfig) -> Iterator[tuple[float, str]]:
    """Weights of name, words and instrument, each with its reason; an empty one is not named."""
    weight = {
        PartRole.TUNE: config.tune_name,
        PartRole.LEAD: config.lead_name,
        PartRole.SECOND: config.second_name,
        PartRole.SECTION: config.section_name,
        PartRole.ACCOMPANIMENT: config.accompaniment_name,
        PartRole.UNKNOWN: 0.0,
    }[find_role(part.name)]
    yield weight, "its name says so"
    yield config.sung * max(0.0, 2 * part.sung - 1), "the words go with it"
    yield config.singing * (part.program in _SINGING_INSTRUMENTS), "its instrument sings"
    yield config.bass * (part.program in _BASSES), ""
    yield config.background * (part.program in _BACKGROUNDS), ""


def _note_evidence(
    part: PartDescription, start: float, end: float, tempo: float, config: MelodyPartConfig
) -> Iterator[tuple[float, str]]:
    """Weights of the notes of a part in a piece from ``start`` to ``end``, with their reasons."""
    monophony, stretches = _texture(part.notes, start)
    share = stretches / max(1, math.ceil((end - start) / 4))
    yield config.monophony * monophony, "it goes one note at a time"
    yield config.share * min(1.0, share), "it plays most of the time"
    if share < config.passing_share:
        yield config.passing * (1 + math.log2(config.passing_share / share)), ""
    pitch = fmean(note[2] for note in part.notes)
    yield config.octave_low * max(0.0, config.low_pitch - pitch) / 12, ""
    line = {
        onset: max(note[2] for note in chord)
        for onset, chord in groupby(part.notes, key=lambda note: note[0])
    }
    intervals = [abs(after - before) for before, after in pairwise(line.values())]
    yield config.steps * fmean(0 < each <= 4 for each in intervals), "it moves in steps"
    yield config.leap * min(1.0, fmean(intervals) / 12), ""
    pace = len(line) / (stretches * 4 * 60 / tempo)
    yield config.slow * max(0.0, math.log2(config.slow_pace / pace)), ""
    distances = Counter(round(after - before, 2) for before, after in pairwise(line))
    total = distances.total()
    shares = [number / total for number in distances.values()]
    entropy = -sum(each * math.log2(each) for each in shares)
    yield config.rhythm * min(4.0, entropy) / 4, "its rhythm varies"
    pitch_count = len(set(line.values()))
    yield config.few_pitches * max(0.0, math.log2(config.few_pitch_count / pitch_count)), ""


def _texture(notes: Sequence[tuple[float, float, int, int]], start: float) -> tuple[float, int]:
    """Share of its sounding time in which one note sounds, and the stretches in which it sounds.

    A stretch is four quarter notes from ``start``.
    """
    edges = sorted([(note[0], 1) for note in notes] + [(note[1], -1) for note in notes])
    sounding = alone = last = 0.0
    count = 0
    for time, change in edges:
        sounding += (time - last) * (count > 0)
        alone += (time - last) * (count == 1)
        count, last = count + change, time
    stretches, last_stretch = 0, -1
    for onset, end, _, _ in notes:
        first_stretch = int((onset - start) // 4)
        final_stretch = max(first_stretch, math.ceil((end - start) / 4) - 1)
        stretches += max(0, final_stretch - max(first_stretch, last_stretch + 1) + 1)
        last_stretch = max(last_stretch, final_stretch)
    return alone / max(sounding, 1e-9), max(1, stretches)


def _top_shares(parts: Sequence[PartDescription]) -> list[float]:
    """For each part the share of its onsets at which no other part sounds above it."""
    sounding: list[tuple[int, float]] = []  # heap of (negative pitch, end)
    onsets, on_top = [0] * len(parts), [0] * len(parts)
    notes = sorted(
        (onset, pitch, end, index)
        for index, part in enumerate(parts)
        for onset, end, pitch, _ in part.notes
    )
    for onset, group in groupby(notes, key=lambda note: note[0]):
        highest: dict[int, int] = {}
        for _, pitch, end, index in group:
            highest[index] = pitch  # they come by pitch
            heappush(sounding, (-pitch, end))
        while len(sounding) > 1 and sounding[0][1] <= onset:
            heappop(sounding)
        for index, pitch in highest.items():
            onsets[index] += 1
            on_top[index] += pitch >= -sounding[0][0]
    return [top / max(1, count) for top, count in zip(on_top, onsets, strict=True)]


def _mean_velocity(part: PartDescription) -> float:
    return fmean(note[3] for note in part.notes)
