"""Echoes: how long a run a tune shares with any tune that its style was trained on.

The tunes themselves are not kept. Of every stretch of so many steps (`BloomConfig`), with the
number of its tune, three bits are set in a field that ends up half full (Bloom 1970, "Space/Time
Trade-offs in Hash Coding with Allowable Errors"). A run is shared where stretch after stretch of it
is found under one number. Nothing shared is ever missed; chance may add a step or two, so lengths
are upper bounds. What `BloomConfig.usual` says was measured through the same sieve.

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
from mst_core.statistics.shared_runs import (
    SharedRun,
    StepCodes,
    longest_shared_run,
    melody_steps,
    rhythm_steps,
)

FINGERPRINTS_FILE = "echoes.safetensors"
N_PAIRS = 1000
"""Pairs of tunes that the usual run of two is measured on."""
MAX_UNRELATED_TUNES = 200
"""Tunes that the usual run of one with any training tune is measured on, at most."""
MIN_TUNES = 20
"""So many tunes it takes to say what is usual."""
MAX_SHARED_MELODY = 0.25
"""A tune that shares more of its melody in one run is a variant of a tune, not a stranger."""
_MAX_LOOKUPS = 1 << 20  # stretches looked up together: some 30 MB

HashArray = NDArray[np.uint64]
NgramLength = Annotated[int, msgspec.Meta(ge=1, le=256)]


class BloomConfig(
    msgspec.Struct,
    frozen=True,
    rename={
        "ngram_lengths": "stretches",
        "hash_count": "checks",
        "tune_buckets": "numbers",
        "p95": "usual",
        "pair_p95": "usual_of_two",
    },
):
    """How one field is filled; its bits lie beside it."""

    ngram_lengths: Annotated[tuple[NgramLength, ...], msgspec.Meta(min_length=1, max_length=16)]
    """Steps that are looked up together, rising; runs shorter than the first are not seen."""
    hash_count: Annotated[int, msgspec.Meta(ge=1, le=16)]
    """Bits set by each stretch: one strange stretch in 2 to the power of this passes."""
    tune_buckets: Annotated[int, msgspec.Meta(ge=1, le=65536)]
    """How many numbers tunes are told apart by: more of them, and a run is of one tune."""
    p95: int | None = None
    """95 in 100 real tunes share no longer run with any training tune that is a stranger."""
    pair_p95: int | None = None
    """95 in 100 pairs of real tunes share no longer run."""


RHYTHM_BLOOM = BloomConfig(
    ngram_lengths=(8, 12, 18, 27, 40, 60, 90), hash_count=3, tune_buckets=4096
)
MELODY_BLOOM = BloomConfig(ngram_lengths=(8,), hash_count=3, tune_buckets=16)


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """What a style remembers of its tunes, to tell copies by."""

    rhythm_config: BloomConfig
    melody_config: BloomConfig
    rhythm_bits: NDArray[np.uint8]
    melody_bits: NDArray[np.uint8]

    @classmethod
    def from_tunes(
        cls, tunes: Sequence[CorpusTune], unrelated_tunes: Sequence[CorpusTune]
    ) -> Fingerprints:
        """Remember the training's ``tunes``; ``strangers`` tell what real tunes share with them."""
        rhythms, melodies = [*map(rhythm_steps, tunes)], [*map(melody_steps, tunes)]
        rhythm, melody = (
            _limit_buckets(RHYTHM_BLOOM, len(tunes)),
            _limit_buckets(MELODY_BLOOM, len(tunes)),
        )
        found = cls(rhythm, melody, _build_filter(rhythm, rhythms), _build_filter(melody, melodies))
        others = [
            tune
            for tune in unrelated_tunes[:MAX_UNRELATED_TUNES]
            if found.longest_melody_run(tune).length
            <= max(2 * MELODY_BLOOM.ngram_lengths[0], MAX_SHARED_MELODY * len(tune.events))
        ]
        return cls(
            msgspec.structs.replace(
                rhythm,
                p95=_p95([found.longest_rhythm_run(tune).length for tune in others]),
                pair_p95=_pair_p95(rhythms),
            ),
            msgspec.structs.replace(
                melody,
                p95=_p95([found.longest_melody_run(tune).length for tune in others]),
                pair_p95=_pair_p95(melodies),
            ),
            found.rhythm_bits,
            found.melody_bits,
        )

    def longest_rhythm_run(self, tune: CorpusTune) -> SharedRun:
        """The longest run of (onset in bar, duration) that some training tune has too.

        Runs below ``rhythm.stretches[0]`` steps count as none.
        """
        return _longest_known_run(rhythm_steps(tune), self.rhythm_config, self.rhythm_bits)

    def longest_melody_run(self, tune: CorpusTune) -> SharedRun:
        """The longest run of (interval, duration) that some training tune has too.

        Runs below ``melody.stretches[0]`` steps count as none.
        """
        return _longest_known_run(melody_steps(tune), self.melody_config, self.melody_bits)

    def rhythm_run_with(self, tune: CorpusTune, other: CorpusTune) -> SharedRun:
        """The same with one other tune, exactly, against what two tunes usually share."""
        run = longest_shared_run(rhythm_steps(tune), rhythm_steps(other))
        return SharedRun(run.length, run.start, self.rhythm_config.pair_p95)

    def melody_run_with(self, tune: CorpusTune, other: CorpusTune) -> SharedRun:
        """The same with one other tune, exactly, against what two tunes usually share."""
        run = longest_shared_run(melody_steps(tune), melody_steps(other))
        return SharedRun(run.length, run.start, self.melody_config.pair_p95)

    def save(self, folder: Path) -> None:
        """Write them into a style's folder."""
        header = {
            "checksum": _checksum([self.rhythm_bits, self.melody_bits]),
            "rhythm": msgspec.json.encode(self.rhythm_config).decode(),
            "melody": msgspec.json.encode(self.melody_config).decode(),
        }
        fields = {"rhythm": self.rhythm_bits, "melody": self.melody_bits}
        save_file(fields, folder / FINGERPRINTS_FILE, header)
        (folder / FINGERPRINTS_FILE).chmod(0o644)

    @classmethod
    def load(cls, folder: Path) -> Fingerprints | None:
        """Read them from a style's folder; None where an older training left none.

        Raises:
            BrokenStyle: when the file is damaged.
        """
        path = folder / FINGERPRINTS_FILE
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="np") as file:
                header = file.metadata() or {}
                sieves = [
                    msgspec.json.decode(header[name], type=BloomConfig)
                    for name in ("rhythm", "melody")
                ]
                fields = [file.get_tensor(name) for name in ("rhythm", "melody")]
        except (OSError, SafetensorError, KeyError, msgspec.MsgspecError) as error:
            raise BrokenStyle(folder.name, f"{FINGERPRINTS_FILE}: {error}") from error
        bits = all(f.dtype == np.uint8 and f.ndim == 1 and len(f) for f in fields)
        if not bits or header.get("checksum") != _checksum(fields):
            raise BrokenStyle(folder.name, f"{FINGERPRINTS_FILE}: its fields are damaged")
        return cls(sieves[0], sieves[1], fields[0], fields[1])


def _limit_buckets(sieve: BloomConfig, tunes: int) -> BloomConfig:
    """Give no numbers that no tune has: they would only let chance in."""
    return msgspec.structs.replace(sieve, tune_buckets=max(1, min(sieve.tune_buckets, tunes)))


def _checksum(fields: Sequence[NDArray[np.uint8]]) -> str:
    return f"{zlib.crc32(b''.join(field.tobytes() for field in fields)):08x}"


def _build_filter(sieve: BloomConfig, rows: Sequence[StepCodes]) -> NDArray[np.uint8]:
    """Make a field of bits that is half full of the rows' stretches."""
    marks = [
        _with_bucket(_ngram_hashes(row, length), _bucket(place, sieve))
        for place, row in enumerate(rows)
        for length in sieve.ngram_lengths
    ]
    entries = np.unique(np.concatenate([np.zeros(0, np.uint64), *marks]))
    size = max(8, math.ceil(len(entries) * sieve.hash_count / math.log(2) / 8))  # bytes
    field = np.zeros(size * 8, dtype=np.uint8)
    for check in range(sieve.hash_count):
        field[_bit_index(entries, check, size)] = 1
    return np.packbits(field)


def _longest_known_run(steps: StepCodes, sieve: BloomConfig, field: NDArray[np.uint8]) -> SharedRun:
    together = max(1, _MAX_LOOKUPS // max(1, len(steps)))
    best, first = 0, 0
    for start in range(0, sieve.tune_buckets, together):
        numbers = np.arange(start, min(start + together, sieve.tune_buckets), dtype=np.uint64)
        length, place = _longest_in_buckets(numbers, steps, sieve, field)
        if length > best:
            best, first = length, place
    return SharedRun(best, first, sieve.p95)


def _longest_in_buckets(
    numbers: HashArray, steps: StepCodes, sieve: BloomConfig, field: NDArray[np.uint8]
) -> tuple[int, int]:
    """Find the longest run under some numbers, and its place, by longer and longer stretches.

    A rhythm that goes round and round has every short stretch of a run that is not there: so each
    length is looked up only where the one before allows it, and bounds what that one allowed.
    """
    best, first = 0, 0
    allowed = np.ones(
        (max(0, len(steps) - sieve.ngram_lengths[0] + 1), len(numbers)), dtype=np.bool_
    )
    for length, longer in zip_longest(sieve.ngram_lengths, sieve.ngram_lengths[1:]):
        if not allowed.any():
            break
        found = _lookup(_ngram_hashes(steps, length), numbers, allowed, sieve.hash_count, field)
        runs = _run_lengths(found, length)
        if longer is None or runs.max() < longer:
            if runs.max() > best:
                best, first = int(runs.max()), int(runs.argmax()) // len(numbers)
            break
        allowed = runs[: len(steps) - longer + 1] >= longer
        best, first = longer - 1, int(allowed.argmax()) // len(numbers)
    return best, first


def _lookup(
    stretches: HashArray,
    numbers: HashArray,
    allowed: NDArray[np.bool_],
    checks: int,
    field: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Tell which stretches (rows) are in the field under which numbers (columns)."""
    rows, columns = np.nonzero(allowed)
    entries = _with_bucket(stretches[rows], numbers[columns])
    for check in range(checks):
        bit = _bit_index(entries, check, len(field))
        passed = (field[bit >> 3] >> (7 - (bit & 7)) & 1).astype(bool)
        rows, columns, entries = rows[passed], columns[passed], entries[passed]
    found = np.zeros_like(allowed)
    found[rows, columns] = True
    return found


def _run_lengths(found: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """How many steps go on being found from each place; 0 where its stretch is not."""
    runs = np.zeros(found.shape, dtype=np.int64)
    ahead = np.full(found.shape[1], length - 1, dtype=np.int64)
    for place in range(len(found) - 1, -1, -1):
        ahead = np.where(found[place], ahead + 1, length - 1)
        runs[place] = np.where(found[place], ahead, 0)
    return runs


def _ngram_hashes(steps: StepCodes, length: int) -> HashArray:
    """A number for every so many steps in a row."""
    count = max(0, len(steps) - length + 1)
    sums = np.zeros(count, dtype=np.uint64)
    if count:
        mixed = _mix64(steps)
        for place in range(length):
            sums = sums * np.uint64(0xD1342543DE82EF95) + mixed[place : place + count]
    return _mix64(sums)


def _bucket(place: int, sieve: BloomConfig) -> NDArray[np.uint64]:
    return np.array([place % sieve.tune_buckets], dtype=np.uint64)


def _with_bucket(stretches: HashArray, numbers: HashArray) -> HashArray:
    return _mix64(stretches + _mix64(numbers))


def _bit_index(entries: HashArray, check: int, size: int) -> NDArray[np.int64]:
    salt = np.uint64(0x9E3779B97F4A7C15 * (check + 1) % 2**64)
    return (_mix64(entries ^ salt) % np.uint64(8 * size)).astype(np.int64)


def _mix64(numbers: HashArray) -> HashArray:
    """Scatter numbers over 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _p95(lengths: Sequence[int]) -> int | None:
    if len(lengths) < MIN_TUNES:
        return None
    return sorted(lengths)[math.ceil(0.95 * len(lengths)) - 1]


def _pair_p95(rows: Sequence[StepCodes]) -> int | None:
    """Measure pairs of tunes, always the same ones."""
    if len(rows) < MIN_TUNES:
        return None
    draw = np.random.default_rng(0)
    pairs = (draw.choice(len(rows), size=2, replace=False) for _ in range(N_PAIRS))
    return _p95([longest_shared_run(rows[one], rows[other]).length for one, other in pairs])
