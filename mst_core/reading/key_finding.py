"""Finds the key of notes, and checks by the notes the key that a file states.

The key is the one whose profile correlates best with the durations of the pitch classes
(Krumhansl-Schmuckler algorithm, profiles of Albrecht and Shanahan 2013), with a bonus for the tonic
as the last note. Files often state a default key, C major, or a signature without its mode: such a
key is believed only if the notes agree.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from statistics import correlation
from typing import TypeVar

from mst_core.music import Key, KeyChange, Melody, Note, PartNote

T = TypeVar("T", Note, PartNote)
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
_PROFILES = {
    # Shares of the twelve degrees above the tonic; the modes change one degree of major or minor.
    "major": _MAJOR,
    "minor": _MINOR,
    "dorian": (*_MINOR[:8], _MINOR[9], _MINOR[8], *_MINOR[10:]),
    "mixolydian": (*_MAJOR[:10], _MAJOR[11], _MAJOR[10]),
}


@dataclass(frozen=True, slots=True)
class KeyFindingConfig:
    """Weights and thresholds of finding and checking keys."""

    final: float = 0.1
    """Correlation that the tonic as the last note is worth where no key is stated."""
    final_of_signature: float = 0.2
    """The same among the keys of one signature."""
    minor: float = 0.2
    """Correlation by which minor must be better than the major of the same signature."""
    mode: float = 0.3
    """The same for dorian and mixolydian."""
    default: float = 0.1
    """Correlation in favor of the keys without sharps and flats where C major is stated."""
    outside: float = 0.25
    """Share of the sounding time outside its scale from which a stated key is doubted."""
    inside: float = 0.05
    """Largest share outside its scale of the key that replaces it."""
    fewest_notes: int = 8
    """Notes of melody and parts from which a stated key may be doubted."""
    fewest_pitch_classes: int = 5
    """Different pitch classes among them."""


_CONFIG = KeyFindingConfig()


def find_key(
    notes: Sequence[Note], *, beside: Iterable[PartNote] = (), config: KeyFindingConfig = _CONFIG
) -> Key:
    """Return the major or minor key that fits notes best.

    Args:
        notes: of a melody, in order.
        beside: notes of the parts that sound with it; they count as much as the melody.
        config: the weights.

    Returns:
        One of the 24 major and minor keys; C major when all pitch classes last equally long.
    """
    return _best_key(notes, _pitch_class_shares(notes, beside), config, default=0.0)


def settle_key(
    stated: Key,
    notes: Sequence[Note],
    *,
    mode_stated: bool,
    may_be_default: bool = False,
    beside: Iterable[PartNote] = (),
    config: KeyFindingConfig = _CONFIG,
) -> Key:
    """Return the key of notes whose file states one.

    Args:
        stated: the key that the file states; major where it states only a signature.
        notes: of the melody, in order.
        mode_stated: whether the file states the mode. Without, any mode of the signature may be
            found.
        may_be_default: whether C major may be what a program writes where nobody chose a key, and
            other keys with a mode may be wrong too.
        beside: notes of the parts that sound with it; they count as much as the melody.
        config: the weights and thresholds.

    Returns:
        The stated key where the notes agree, or it has sharps or flats and a mode; its signature
        with the mode of the notes where the file states no mode; another key where the notes
        clearly are in another one.
    """
    beside = list(beside)
    shares = _pitch_class_shares(notes, beside)
    if (
        not notes
        or len(notes) + len(beside) < config.fewest_notes
        or sum(share > 0 for share in shares) < config.fewest_pitch_classes
        or max(shares) == min(shares)
    ):
        return stated
    outside = _share_outside(shares, stated)
    if may_be_default and stated == Key(0):
        found = _best_key(notes, shares, config, default=config.default)
        if found.fifths and _share_outside(shares, found) <= outside:
            return found
    # Who writes sharps or flats and names a mode means them.
    is_meant = mode_stated and stated.fifths != 0 and not may_be_default
    for sounding in () if is_meant else (shares, _pitch_class_shares(notes, ())):
        replacement = min(map(Key.from_fifths, range(-6, 6)), key=partial(_share_outside, sounding))
        if (
            _share_outside(sounding, stated) > config.outside
            and _share_outside(sounding, replacement) < config.inside
            and _share_outside(shares, replacement) < outside
        ):
            return _best_mode(replacement, notes, shares, config)
    if mode_stated and not (may_be_default and stated.is_minor):
        return stated
    return _best_mode(stated, notes, shares, config)


def settle_keys(melody: Melody, beside: Sequence[PartNote], *, mode_stated: bool) -> Melody:
    """Check the keys of a written score: its first key and those on the way, each by its notes.

    Args:
        melody: with the keys that the file states; major where it states only a signature.
        beside: notes of the parts that sound with it.
        mode_stated: whether the file states the modes.

    Returns:
        The melody with the keys as `settle_key` finds them.
    """
    barlines = melody.barlines
    edges = [*(change.bar for change in melody.key_changes), melody.bar_count]
    beside = sorted(beside, key=_onset)

    def settled(stated: Key, start: Fraction, end: Fraction) -> Key:
        return settle_key(
            stated,
            _between(melody.notes, start, end),
            mode_stated=mode_stated,
            beside=_between(beside, start, end),
        )

    start = min([Fraction(0), *(note.onset for note in melody.notes[:1])])
    key = settled(melody.key, start, barlines[edges[0]])
    changes, current = [], key
    for change, end in zip(melody.key_changes, edges[1:], strict=True):
        new = settled(change.key, barlines[change.bar], barlines[end])
        if new != current:
            changes.append(KeyChange(change.bar, new))
        current = new
    return replace(melody, key=key, key_changes=tuple(changes))


def _onset(note: Note | PartNote) -> Fraction:
    return note.onset


def _between(notes: Sequence[T], start: Fraction, end: Fraction) -> Sequence[T]:
    """The notes, rising by onset, that begin from one time to before another."""
    return notes[bisect_left(notes, start, key=_onset) : bisect_left(notes, end, key=_onset)]


def share_outside(key: Key, notes: Iterable[Note], beside: Iterable[PartNote] = ()) -> float:
    """Return the share of the sounding time of notes that are not in the scale of a key.

    Args:
        key: the key.
        notes: of the melody.
        beside: notes of the parts that sound with it; they count as much as the melody.

    Returns:
        0 to 1.
    """
    return _share_outside(_pitch_class_shares(notes, beside), key)


def describe_settled_key(stated: Key, settled: Key) -> Iterator[str]:
    """Yield a remark where the notes are in another key than the file states.

    Args:
        stated: the key that the file states.
        settled: the key that `settle_key` found.

    Yields:
        A sentence; none where both are alike.
    """
    if settled.fifths != stated.fifths:
        yield f"The file states {stated.name}, but its notes are those of {settled.name}."
    elif settled != stated:
        yield f"The key signature is that of {stated.name}; its notes are in {settled.name}."


def _best_key(
    notes: Sequence[Note], shares: Sequence[float], config: KeyFindingConfig, *, default: float
) -> Key:
    """The major or minor key that fits best; ``default`` is added for those without accidentals."""
    if not notes or max(shares) == min(shares):
        return Key(0)
    last = notes[-1].pitch % 12
    return max(
        (Key(tonic, mode) for mode in ("major", "minor") for tonic in range(12)),
        key=lambda key: (
            _fit(key, shares) + config.final * (last == key.tonic) + default * (key.fifths == 0)
        ),
    )


def _best_mode(
    stated: Key, notes: Sequence[Note], shares: Sequence[float], config: KeyFindingConfig
) -> Key:
    """The key with the signature of ``stated`` that fits best.

    Where minor is stated, as MIDI does of dorian too, it is major that must be better.
    """
    penalties = {"major": 0.0, "minor": config.minor}
    if stated.is_minor:
        penalties = {"major": config.mode, "minor": 0.0, "dorian": config.minor}
    last = notes[-1].pitch % 12
    return max(
        (Key.from_fifths(stated.fifths, mode) for mode in _PROFILES),
        key=lambda key: (
            _fit(key, shares)
            + config.final_of_signature * (last == key.tonic)
            - penalties.get(key.mode, config.mode)
        ),
    )


def _fit(key: Key, shares: Sequence[float]) -> float:
    """Correlation of the shares of pitch classes with the profile of a key."""
    degrees = [shares[(key.tonic + step) % 12] for step in range(12)]
    return correlation(degrees, _PROFILES[key.mode])


def _share_outside(shares: Sequence[float], key: Key) -> float:
    """Share of the sounding time of pitch classes that are not in the scale of a key."""
    return 1 - sum(shares[pitch] for pitch in key.scale)


def _pitch_class_shares(notes: Iterable[Note], beside: Iterable[PartNote]) -> list[float]:
    """Shares (12,) of the sounding time by pitch class; melody and other parts count half each."""
    total = [0.0] * 12
    for each in (notes, beside):
        durations = [0.0] * 12
        for note in each:
            durations[note.pitch % 12] += float(note.duration)
        total = [
            before + duration / (sum(durations) or 1.0)
            for before, duration in zip(total, durations, strict=True)
        ]
    return [each / (sum(total) or 1.0) for each in total]
