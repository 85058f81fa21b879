"""Audio in a temporary file, so that a long piece never lies in memory as a whole.

Short audio stays in memory. The file has no name and is gone when it is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import Self

import numpy as np

from mst_core.sound.synth import SAMPLE_RATE, Samples

MAX_BYTES_IN_MEMORY = 64 * 2**20
"""Bytes of one file that stay in memory: almost three minutes."""
CHUNK_FRAMES = 4 * SAMPLE_RATE
"""Frames that are read at once."""
_FRAME_BYTES = 2 * np.dtype(np.float32).itemsize


class SampleFile:
    """Stereo audio that is appended to, mixed into, and read in pieces."""

    def __init__(self, on_access: Callable[[], None] = lambda: None) -> None:
        """Open an empty file.

        Args:
            on_access: called at each read and write: a step of a long piece's work.
        """
        self._on_access = on_access
        self.frames = 0
        """Frames in the file."""
        self._file = SpooledTemporaryFile(MAX_BYTES_IN_MEMORY)  # noqa: SIM115  closed by `close`

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @classmethod
    def of(cls, chunks: Iterable[Samples], on_access: Callable[[], None] = lambda: None) -> Self:
        """Return a file with audio; when the audio raises an error, the file is closed.

        Args:
            chunks: audio in pieces of shape (frames, 2).
            on_access: called at each read and write.
        """
        file = cls(on_access)
        try:
            for chunk in chunks:
                file.append(chunk)
        except BaseException:
            file.close()
            raise
        return file

    def append(self, samples: Samples) -> None:
        """Write audio at the end.

        Args:
            samples: audio of shape (frames, 2).
        """
        self._write(self.frames, samples)

    def read(self, start: int, count: int) -> Samples:
        """Return some frames, shape (up to count, 2); the array is a new one.

        Args:
            start: index of the first frame, at least 0.
            count: number of frames; fewer come at the end of the file.
        """
        self._on_access()
        count = max(0, min(count, self.frames - start))
        self._file.seek(start * _FRAME_BYTES)
        data = self._file.read(count * _FRAME_BYTES)
        return np.frombuffer(bytearray(data), np.float32).reshape(-1, 2)

    def chunks(self) -> Iterator[Samples]:
        """Yield all frames in pieces of `CHUNK_FRAMES`."""
        for start in range(0, self.frames, CHUNK_FRAMES):
            yield self.read(start, CHUNK_FRAMES)

    def mix(self, other: SampleFile, level: float) -> None:
        """Add the audio of another file, from the beginning on.

        Args:
            other: the file; where it is longer, this one becomes as long.
            level: amplitude by which the other audio is multiplied.
        """
        start = 0
        for chunk in other.chunks():
            mixed = chunk * np.float32(level)
            own = self.read(start, len(chunk))
            mixed[: len(own)] += own
            self._write(start, mixed)
            start += len(chunk)

    def close(self) -> None:
        """Delete the file."""
        self._file.close()

    def _write(self, start: int, samples: Samples) -> None:
        """Write audio over what is there, or at the end."""
        self._on_access()
        self._file.seek(start * _FRAME_BYTES)
        self._file.write(np.ascontiguousarray(samples, np.float32).tobytes())
        self.frames = max(self.frames, start + len(samples))
