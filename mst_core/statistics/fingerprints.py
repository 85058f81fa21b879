"""Fingerprints of a style's training tunes: how long a run of notes a tune shares with any of them.

The tunes themselves are not stored. For every n-gram of steps (`mst_core.statistics.shared_runs`)
of a training tune a few bits are set in a Bloom filter that ends up half full (Bloom 1970,
"Space/Time Trade-offs in Hash Coding with Allowable Errors"). The hash of an n-gram includes the
bucket of its tune, so that a run is shared only where its successive n-grams are found in one
bucket. No shared run is missed; false positives may lengthen it by a step or two, so lengths are
upper bounds. `BloomConfig.p95` was measured with the same filter.

The melody filter holds three bits a note, so one wrong continuation in eight passes and tunes
cannot be reconstructed by search: docs/decisions.md#fingerprints.
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
from mst_core.statistics.config import StatisticsConfig
from mst_core.statistics.shared_runs import (
    SharedRun,
    StepCodes,
    longest_shared_run,
    melody_steps,
    mix64,
    ngram_hashes,
    rhythm_steps,
)
from mst_core.statistics.style_statistics import existing_file

FINGERPRINTS_FILE = "fingerprints.safetensors"
_OLD_FILE = "echoes.safetensors"  # its name up to version 0.1
_MAX_LOOKUPS = 1 << 20  # n-grams looked up together: some 30 MB


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
    """Parameters of one Bloom filter, and percentiles measured with it."""

    ngram_lengths: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=256)], ...],
        msgspec.Meta(min_length=1, max_length=16),
    ]
    """Lengths of the stored n-grams in steps, ascending; runs shorter than the first are missed."""
    hash_count: Annotated[int, msgspec.Meta(ge=1, le=16)]
    """Bits set by each n-gram; the false-positive rate is 2 to the power of minus this."""
    tune_buckets: Annotated[int, msgspec.Meta(ge=1, le=65536)]
    """Tunes are distinguished modulo this: with more buckets fewer runs span two tunes."""
    p95: int | None = None
    """95th percentile of the longest run that an unrelated tune shares with any training tune."""
    pair_p95: int | None = None
    """95th percentile of the longest run that two training tunes share."""


RHYTHM_BLOOM = BloomConfig(
    ngram_lengths=(8, 12, 18, 27, 40, 60, 90), hash_count=3, tune_buckets=4096
)
MELODY_BLOOM = BloomConfig(ngram_lengths=(8,), hash_count=3, tune_buckets=16)


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Bloom filters of a style's training tunes, for rhythm and for melody."""

    rhythm_config: BloomConfig
    melody_config: BloomConfig
    rhythm_bits: NDArray[np.uint8]
    """Shape ``(bytes,)``, eight bits packed into each."""
    melody_bits: NDArray[np.uint8]

    @classmethod
    def from_tunes(
        cls,
        tunes: Sequence[CorpusTune],
        unrelated_tunes: Sequence[CorpusTune],
        config: StatisticsConfig = StatisticsConfig(),
    ) -> Fingerprints:
        """Build the filters and measure the percentiles.

        Args:
            tunes: the training tunes.
            unrelated_tunes: real tunes of the style that it was not trained on; the first ones
                that are no variants of training tunes give the percentiles.
            config: how many of them, and which ones are variants.
        """
        rhythms, melodies = [*map(rhythm_steps, tunes)], [*map(melody_steps, tunes)]
        rhythm = _limit_buckets(RHYTHM_BLOOM, len(tunes))
        melody = _limit_buckets(MELODY_BLOOM, len(tunes))
        found = cls(rhythm, melody, _build_filter(rhythm, rhythms), _build_filter(melody, melodies))
        others = [
            tune
            for tune in unrelated_tunes[: config.unrelated_tunes]
            if found.longest_melody_run(tune).length
            <= max(2 * MELODY_BLOOM.ngram_lengths[0], config.max_shared_melody * len(tune.events))
        ]
        return cls(
            msgspec.structs.replace(
                rhythm,
                p95=_p95([found.longest_rhythm_run(tune).length for tune in others], config),
                pair_p95=_pair_p95(rhythms, config),
            ),
            msgspec.structs.replace(
                melody,
                p95=_p95([found.longest_melody_run(tune).length for tune in others], config),
                pair_p95=_pair_p95(melodies, config),
            ),
            found.rhythm_bits,
            found.melody_bits,
        )

    def longest_rhythm_run(self, tune: CorpusTune) -> SharedRun:
        """Find the longest run of (onset in bar, duration) that some training tune has too.

        Runs shorter than ``rhythm_config.ngram_lengths[0]`` steps count as none.
        """
        return _longest_known_run(rhythm_steps(tune), self.rhythm_config, self.rhythm_bits)

    def longest_melody_run(self, tune: CorpusTune) -> SharedRun:
        """Find the longest run of (interval, duration) that some training tune has too.

        Runs shorter than ``melody_config.ngram_lengths[0]`` steps count as none.
        """
        return _longest_known_run(melody_steps(tune), self.melody_config, self.melody_bits)

    def rhythm_run_with(self, tune: CorpusTune, other: CorpusTune) -> SharedRun:
        """Find the longest run of rhythm steps shared with one tune, exactly, with `pair_p95`.

        Args:
            tune: the tune that is compared; the run's start is an index of its steps.
            other: the tune that it may copy.
        """
        run = longest_shared_run(rhythm_steps(tune), rhythm_steps(other))
        return SharedRun(run.length, run.start, self.rhythm_config.pair_p95)

    def melody_run_with(self, tune: CorpusTune, other: CorpusTune) -> SharedRun:
        """Find the longest run of melody steps shared with one tune, exactly, with `pair_p95`.

        Args:
            tune: the tune that is compared; the run's start is an index of its steps.
            other: the tune that it may copy.
        """
        run = longest_shared_run(melody_steps(tune), melody_steps(other))
        return SharedRun(run.length, run.start, self.melody_config.pair_p95)

    def save(self, folder: Path) -> None:
        """Write ``fingerprints.safetensors`` into a style folder."""
        header = {
            "checksum": _checksum([self.rhythm_bits, self.melody_bits]),
            "rhythm": msgspec.json.encode(self.rhythm_config).decode(),
            "melody": msgspec.json.encode(self.melody_config).decode(),
        }
        tensors = {"rhythm": self.rhythm_bits, "melody": self.melody_bits}
        save_file(tensors, folder / FINGERPRINTS_FILE, header)
        (folder / FINGERPRINTS_FILE).chmod(0o644)
        (folder / _OLD_FILE).unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> Fingerprints | None:
        """Read ``fingerprints.safetensors``, or ``echoes.safetensors`` of version 0.1.

        Returns:
            None where an older training wrote neither into the style folder.

        Raises:
            BrokenStyle: when the file is damaged.
        """
        path = existing_file(folder, FINGERPRINTS_FILE, _OLD_FILE)
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="np") as file:
                header = file.metadata() or {}
                rhythm, melody = (
                    msgspec.json.decode(header[name], type=BloomConfig)
                    for name in ("rhythm", "melody")
                )
                bits = [file.get_tensor(name) for name in ("rhythm", "melody")]
        except (OSError, SafetensorError, KeyError, msgspec.MsgspecError) as error:
            raise BrokenStyle(folder.name, f"{path.name}: {error}") from error
        whole = all(b.dtype == np.uint8 and b.ndim == 1 and len(b) for b in bits)
        if not whole or header.get("checksum") != _checksum(bits):
            raise BrokenStyle(folder.name, f"{path.name}: its filters are damaged")
        return cls(rhythm, melody, bits[0], bits[1])


def _limit_buckets(config: BloomConfig, n_tunes: int) -> BloomConfig:
    """Allow no more buckets than tunes: an empty bucket would only add false positives."""
    return msgspec.structs.replace(config, tune_buckets=max(1, min(config.tune_buckets, n_tunes)))


def _checksum(arrays: Sequence[NDArray[np.uint8]]) -> str:
    """CRC-32 of the concatenated bytes of arrays of any shape, eight hexadecimal digits."""
    return f"{zlib.crc32(b''.join(array.tobytes() for array in arrays)):08x}"


def _build_filter(config: BloomConfig, rows: Sequence[StepCodes]) -> NDArray[np.uint8]:
    """Set the bits of all n-grams of the rows in a filter sized to be half full: ``(bytes,)``."""
    hashes = [
        _with_bucket(ngram_hashes(row, length), _bucket(index, config))
        for index, row in enumerate(rows)
        for length in config.ngram_lengths
    ]
    entries = np.unique(np.concatenate([np.zeros(0, np.uint64), *hashes]))
    n_bytes = max(8, math.ceil(len(entries) * config.hash_count / math.log(2) / 8))
    bits = np.zeros(n_bytes * 8, dtype=np.uint8)
    for number in range(config.hash_count):
        bits[_bit_index(entries, number, n_bytes)] = 1
    return np.packbits(bits)


def _longest_known_run(steps: StepCodes, config: BloomConfig, bits: NDArray[np.uint8]) -> SharedRun:
    """Find the longest run of steps (N,) over all buckets, a block of buckets at a time."""
    block = max(1, _MAX_LOOKUPS // max(1, len(steps)))
    best, first = 0, 0
    for start in range(0, config.tune_buckets, block):
        buckets = np.arange(start, min(start + block, config.tune_buckets), dtype=np.uint64)
        length, index = _longest_in_buckets(buckets, steps, config, bits)
        if length > best:
            best, first = length, index
    return SharedRun(best, first, config.p95)


def _longest_in_buckets(
    buckets: StepCodes, steps: StepCodes, config: BloomConfig, bits: NDArray[np.uint8]
) -> tuple[int, int]:
    """Find the longest run within ``buckets`` (B,), and the index of its first step.

    A repetitive rhythm contains every short n-gram of runs that no tune has. So each n-gram length
    is looked up only where the shorter one allows it, and bounds the runs that the shorter one
    allowed.
    """
    best, first = 0, 0
    shape = max(0, len(steps) - config.ngram_lengths[0] + 1), len(buckets)
    allowed = np.ones(shape, dtype=np.bool_)
    for length, longer in zip_longest(config.ngram_lengths, config.ngram_lengths[1:]):
        if not allowed.any():
            break
        found = _lookup(ngram_hashes(steps, length), buckets, allowed, config.hash_count, bits)
        runs = _run_lengths(found, length)
        if longer is None or runs.max() < longer:
            if runs.max() > best:
                best, first = int(runs.max()), int(runs.argmax()) // len(buckets)
            break
        allowed = runs[: len(steps) - longer + 1] >= longer
        best, first = longer - 1, int(allowed.argmax()) // len(buckets)
    return best, first


def _lookup(
    hashes: StepCodes,
    buckets: StepCodes,
    allowed: NDArray[np.bool_],
    hash_count: int,
    bits: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Look up n-grams (N,) in buckets (B,) where ``allowed`` (N, B): True where found, (N, B)."""
    rows, columns = np.nonzero(allowed)
    entries = _with_bucket(hashes[rows], buckets[columns])
    for number in range(hash_count):
        bit = _bit_index(entries, number, len(bits))
        passed = (bits[bit >> 3] >> (7 - (bit & 7)) & 1).astype(bool)
        rows, columns, entries = rows[passed], columns[passed], entries[passed]
    found = np.zeros_like(allowed)
    found[rows, columns] = True
    return found


def _run_lengths(found: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """Steps of the run that starts at each n-gram (N, B); 0 where the n-gram was not found."""
    runs = np.zeros(found.shape, dtype=np.int64)
    ahead = np.full(found.shape[1], length - 1, dtype=np.int64)
    for index in range(len(found) - 1, -1, -1):
        ahead = np.where(found[index], ahead + 1, length - 1)
        runs[index] = np.where(found[index], ahead, 0)
    return runs


def _bucket(index: int, config: BloomConfig) -> StepCodes:
    """The bucket of the tune with this index, shape ``(1,)``."""
    return np.array([index % config.tune_buckets], dtype=np.uint64)


def _with_bucket(hashes: StepCodes, buckets: StepCodes) -> StepCodes:
    # Both broadcast: (..., N) hashes with the numbers of their buckets.
    return mix64(hashes + mix64(buckets))


def _bit_index(entries: StepCodes, number: int, n_bytes: int) -> NDArray[np.int64]:
    """The bit that hash function ``number`` sets for each entry, both (N,), < 8 * n_bytes."""
    salt = np.uint64(0x9E3779B97F4A7C15 * (number + 1) % 2**64)
    return (mix64(entries ^ salt) % np.uint64(8 * n_bytes)).astype(np.int64)


def _p95(lengths: Sequence[int], config: StatisticsConfig) -> int | None:
    """95th percentile; None for fewer than ``config.min_percentile_tunes`` lengths."""
    if len(lengths) < config.min_percentile_tunes:
        return None
    return sorted(lengths)[math.ceil(0.95 * len(lengths)) - 1]


def _pair_p95(rows: Sequence[StepCodes], config: StatisticsConfig) -> int | None:
    """95th percentile of the run shared by two of the rows (N,), over pairs from a fixed seed."""
    if len(rows) < config.min_percentile_tunes:
        return None
    draw = np.random.default_rng(0)
    pairs = (draw.choice(len(rows), size=2, replace=False) for _ in range(config.run_pairs))
    return _p95([longest_shared_run(rows[one], rows[other]).length for one, other in pairs], config)
