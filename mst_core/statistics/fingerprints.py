"""Echoes: how long a run a tune shares with any tune that its style was trained on.

The tunes themselves are not kept. Of every stretch of so many steps (`Sieve`), with the number of
its tune, three bits are set in a field that ends up half full (Bloom 1970, "Space/Time Trade-offs
in Hash Coding with Allowable Errors"). A run is shared where stretch after stretch of it is found
under one number. Nothing shared is ever missed; chance may add a step or two, so lengths are upper
bounds. What `Sieve.usual` says was measured through the same sieve.

The field of melodies holds three bits a note, no more than the pitch of a solo's note is worth to
the best network that knows its rhythm (2.05 nats): one wrong continuation in eight passes, and who
tries to spell a tune out of it drowns in tunes that never were.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mst_core.corpora.tunes import CorpusTune
from mst_core.errors import BrokenStyle
from mst_core.statistics.shared_runs import Run, Steps, longest_run, melody_steps, rhythm_steps

ECHOES = "echoes.safetensors"
PAIRS = 1000
"""Pairs of tunes that the usual run of two is measured on."""
STRANGERS = 200
"""Tunes that the usual run of one with any training tune is measured on, at most."""
FEWEST = 20
"""So many tunes it takes to say what is usual."""
RELATED = 0.25
"""A tune that shares more of its melody in one run is a variant of a tune, not a stranger."""
_AT_ONCE = 1 << 20  # stretches looked up together: some 30 MB

Numbers = NDArray[np.uint64]
Length = Annotated[int, msgspec.Meta(ge=1, le=256)]


class Sieve(msgspec.Struct, frozen=True):
    """How one field is filled; its bits lie beside it."""

    stretches: Annotated[tuple[Length, ...], msgspec.Meta(min_length=1, max_length=16)]
    """Steps that are looked up together, rising; runs shorter than the first are not seen."""
    checks: Annotated[int, msgspec.Meta(ge=1, le=16)]
    """Bits set by each stretch: one strange stretch in 2 to the power of this passes."""
    numbers: Annotated[int, msgspec.Meta(ge=1, le=65536)]
    """How many numbers tunes are told apart by: more of them, and a run is of one tune."""
    usual: int | None = None
    """95 in 100 real tunes share no longer run with any training tune that is a stranger."""
    usual_of_two: int | None = None
    """95 in 100 pairs of real tunes share no longer run."""


RHYTHM = Sieve(stretches=(8, 12, 18, 27, 40, 60, 90), checks=3, numbers=4096)
MELODY = Sieve(stretches=(8,), checks=3, numbers=16)


@dataclass(frozen=True, eq=False)
class Echoes:
    """What a style remembers of its tunes, to tell copies by."""

    rhythm: Sieve
    melody: Sieve
    rhythm_field: NDArray[np.uint8]
    melody_field: NDArray[np.uint8]

    @classmethod
    def of(cls, tunes: Sequence[CorpusTune], strangers: Sequence[CorpusTune]) -> Echoes:
        """Remember the training's ``tunes``; ``strangers`` tell what real tunes share with them."""
        rhythms, melodies = [*map(rhythm_steps, tunes)], [*map(melody_steps, tunes)]
        rhythm, melody = _narrow(RHYTHM, len(tunes)), _narrow(MELODY, len(tunes))
        found = cls(rhythm, melody, _fill(rhythm, rhythms), _fill(melody, melodies))
        others = [
            tune
            for tune in strangers[:STRANGERS]
            if found.longest_melody(tune).length
            <= max(2 * MELODY.stretches[0], RELATED * len(tune.events))
        ]
        return cls(
            msgspec.structs.replace(
                rhythm,
                usual=_usual([found.longest_rhythm(tune).length for tune in others]),
                usual_of_two=_usual_of_two(rhythms),
            ),
            msgspec.structs.replace(
                melody,
                usual=_usual([found.longest_melody(tune).length for tune in others]),
                usual_of_two=_usual_of_two(melodies),
            ),
            found.rhythm_field,
            found.melody_field,
        )

    def longest_rhythm(self, tune: CorpusTune) -> Run:
        """The longest run of (onset in bar, duration) that some training tune has too.

        Runs below ``rhythm.stretches[0]`` steps count as none.
        """
        return _longest(rhythm_steps(tune), self.rhythm, self.rhythm_field)

    def longest_melody(self, tune: CorpusTune) -> Run:
        """The longest run of (interval, duration) that some training tune has too.

        Runs below ``melody.stretches[0]`` steps count as none.
        """
        return _longest(melody_steps(tune), self.melody, self.melody_field)

    def longest_rhythm_of_two(self, tune: CorpusTune, other: CorpusTune) -> Run:
        """The same with one other tune, exactly, against what two tunes usually share."""
        run = longest_run(rhythm_steps(tune), rhythm_steps(other))
        return Run(run.length, run.first, self.rhythm.usual_of_two)

    def longest_melody_of_two(self, tune: CorpusTune, other: CorpusTune) -> Run:
        """The same with one other tune, exactly, against what two tunes usually share."""
        run = longest_run(melody_steps(tune), melody_steps(other))
        return Run(run.length, run.first, self.melody.usual_of_two)

    def save(self, folder: Path) -> None:
        """Write them into a style's folder."""
        header = {
            "checksum": _checksum([self.rhythm_field, self.melody_field]),
            "rhythm": msgspec.json.encode(self.rhythm).decode(),
            "melody": msgspec.json.encode(self.melody).decode(),
        }
        fields = {"rhythm": self.rhythm_field, "melody": self.melody_field}
        save_file(fields, folder / ECHOES, header)
        (folder / ECHOES).chmod(0o644)

    @classmethod
    def load(cls, folder: Path) -> Echoes | None:
        """Read them from a style's folder; None where an older training left none.

        Raises:
            BrokenStyle: when the file is damaged.
        """
        path = folder / ECHOES
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="np") as file:
                header = file.metadata() or {}
                sieves = [
                    msgspec.json.decode(header[name], type=Sieve) for name in ("rhythm", "melody")
                ]
                fields = [file.get_tensor(name) for name in ("rhythm", "melody")]
        except (OSError, SafetensorError, KeyError, msgspec.MsgspecError) as error:
            raise BrokenStyle(folder.name, f"{ECHOES}: {error}") from error
        bits = all(f.dtype == np.uint8 and f.ndim == 1 and len(f) for f in fields)
        if not bits or header.get("checksum") != _checksum(fields):
            raise BrokenStyle(folder.name, f"{ECHOES}: its fields are damaged")
        return cls(sieves[0], sieves[1], fields[0], fields[1])


def _narrow(sieve: Sieve, tunes: int) -> Sieve:
    """Give no numbers that no tune has: they would only let chance in."""
    return msgspec.structs.replace(sieve, numbers=max(1, min(sieve.numbers, tunes)))


def _checksum(fields: Sequence[NDArray[np.uint8]]) -> str:
    return f"{zlib.crc32(b''.join(field.tobytes() for field in fields)):08x}"


def _fill(sieve: Sieve, rows: Sequence[Steps]) -> NDArray[np.uint8]:
    """Make a field of bits that is half full of the rows' stretches."""
    marks = [
        _with_number(_stretches(row, length), _number(place, sieve))
        for place, row in enumerate(rows)
        for length in sieve.stretches
    ]
    entries = np.unique(np.concatenate([np.zeros(0, np.uint64), *marks]))
    size = max(8, math.ceil(len(entries) * sieve.checks / math.log(2) / 8))  # bytes
    field = np.zeros(size * 8, dtype=np.uint8)
    for check in range(sieve.checks):
        field[_bit(entries, check, size)] = 1
    return np.packbits(field)


def _longest(steps: Steps, sieve: Sieve, field: NDArray[np.uint8]) -> Run:
    together = max(1, _AT_ONCE // max(1, len(steps)))
    best, first = 0, 0
    for start in range(0, sieve.numbers, together):
        numbers = np.arange(start, min(start + together, sieve.numbers), dtype=np.uint64)
        length, place = _longest_among(numbers, steps, sieve, field)
        if length > best:
            best, first = length, place
    return Run(best, first, sieve.usual)


def _longest_among(
    numbers: Numbers, steps: Steps, sieve: Sieve, field: NDArray[np.uint8]
) -> tuple[int, int]:
    """Find the longest run under some numbers, and its place, by longer and longer stretches.

    A rhythm that goes round and round has every short stretch of a run that is not there: so each
    length is looked up only where the one before allows it, and bounds what that one allowed.
    """
    best, first = 0, 0
    allowed = np.ones((max(0, len(steps) - sieve.stretches[0] + 1), len(numbers)), dtype=np.bool_)
    for length, longer in zip_longest(sieve.stretches, sieve.stretches[1:]):
        if not allowed.any():
            break
        found = _found(_stretches(steps, length), numbers, allowed, sieve.checks, field)
        runs = _runs(found, length)
        if longer is None or runs.max() < longer:
            if runs.max() > best:
                best, first = int(runs.max()), int(runs.argmax()) // len(numbers)
            break
        allowed = runs[: len(steps) - longer + 1] >= longer
        best, first = longer - 1, int(allowed.argmax()) // len(numbers)
    return best, first


def _found(
    stretches: Numbers,
    numbers: Numbers,
    allowed: NDArray[np.bool_],
    checks: int,
    field: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Tell which stretches (rows) are in the field under which numbers (columns)."""
    rows, columns = np.nonzero(allowed)
    entries = _with_number(stretches[rows], numbers[columns])
    for check in range(checks):
        bit = _bit(entries, check, len(field))
        passed = (field[bit >> 3] >> (7 - (bit & 7)) & 1).astype(bool)
        rows, columns, entries = rows[passed], columns[passed], entries[passed]
    found = np.zeros_like(allowed)
    found[rows, columns] = True
    return found


def _runs(found: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """How many steps go on being found from each place; 0 where its stretch is not."""
    runs = np.zeros(found.shape, dtype=np.int64)
    ahead = np.full(found.shape[1], length - 1, dtype=np.int64)
    for place in range(len(found) - 1, -1, -1):
        ahead = np.where(found[place], ahead + 1, length - 1)
        runs[place] = np.where(found[place], ahead, 0)
    return runs


def _stretches(steps: Steps, length: int) -> Numbers:
    """A number for every so many steps in a row."""
    count = max(0, len(steps) - length + 1)
    sums = np.zeros(count, dtype=np.uint64)
    if count:
        mixed = _mix(steps)
        for place in range(length):
            sums = sums * np.uint64(0xD1342543DE82EF95) + mixed[place : place + count]
    return _mix(sums)


def _number(place: int, sieve: Sieve) -> NDArray[np.uint64]:
    return np.array([place % sieve.numbers], dtype=np.uint64)


def _with_number(stretches: Numbers, numbers: Numbers) -> Numbers:
    return _mix(stretches + _mix(numbers))


def _bit(entries: Numbers, check: int, size: int) -> NDArray[np.int64]:
    salt = np.uint64(0x9E3779B97F4A7C15 * (check + 1) % 2**64)
    return (_mix(entries ^ salt) % np.uint64(8 * size)).astype(np.int64)


def _mix(numbers: Numbers) -> Numbers:
    """Scatter numbers over 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _usual(lengths: Sequence[int]) -> int | None:
    if len(lengths) < FEWEST:
        return None
    return sorted(lengths)[math.ceil(0.95 * len(lengths)) - 1]


def _usual_of_two(rows: Sequence[Steps]) -> int | None:
    """Measure pairs of tunes, always the same ones."""
    if len(rows) < FEWEST:
        return None
    draw = np.random.default_rng(0)
    pairs = (draw.choice(len(rows), size=2, replace=False) for _ in range(PAIRS))
    return _usual([longest_run(rows[one], rows[other]).length for one, other in pairs])
