"""Hostile files, the same each time: what people send by mistake, and what they send on purpose.

``python -m tests.tools.hostile.files FOLDER`` writes them all. Those of one
format are made in `midi`, `abc`, `mxl` and `musicxml`; here is what can be done to any file.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.tools.hostile import abc as hostile_abc
from tests.tools.hostile import midi as hostile_midi
from tests.tools.hostile import musicxml as hostile_musicxml
from tests.tools.hostile import mxl as hostile_mxl

GOOD = {
    "mid": hostile_midi.GOOD,
    "abc": hostile_abc.GOOD,
    "musicxml": hostile_musicxml.GOOD,
    "mxl": hostile_mxl.GOOD,
}
"""A small valid file of each format, by suffix."""
_CUTS = 14
_FLIPS = 22

_OTHER_FILE_TYPES = {
    "mp3": b"ID3\x04\0\0\0\0\0\0" + bytes(500),
    "mp3-bare": b"\xff\xfb\x90\0" + bytes(500),
    "ogg": b"OggS\0\x02" + bytes(500),
    "wav": b"RIFF\x24\x02\0\0WAVEfmt " + bytes(500),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(500),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj\n" * 50,
    "gzip": b"\x1f\x8b\x08" + bytes(500),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(500),
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
    "json": b'{"notes": [60, 62, 64]}',
    "prose": b"Once upon a time there was a tune; nobody wrote it down.\n" * 40,
    "zeros": bytes(3_000),
    "ones": b"\xff" * 3_000,
    "nul-and-magic": b"\0MThd" + bytes(100),
    "byte": b"M",
    "newline": b"\n",
    "mark": b"\xef\xbb\xbf",
    "mark-16": b"\xff\xfe",
}


def hostile_files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of each file. All names differ."""
    yield from _mangled()
    yield from _misnamed()
    yield from _oddly_named()
    for maker in (hostile_midi, hostile_abc, hostile_musicxml, hostile_mxl):
        yield from maker.files()


def _mangled() -> Iterator[tuple[str, bytes]]:
    for suffix, good in GOOD.items():
        for cut in range(_CUTS):
            yield f"cut-{cut:02}.{suffix}", good[: len(good) * cut // _CUTS]
        for number in range(_FLIPS):
            yield f"flipped-{number:02}.{suffix}", flip(good, number)
        yield f"doubled.{suffix}", good * 2
        yield f"backwards.{suffix}", good[::-1]
        yield f"behind-rubbish.{suffix}", b"rubbish" + good
        yield f"before-rubbish.{suffix}", good + random.Random(7).randbytes(3_000)
        yield f"random.{suffix}", random.Random(suffix).randbytes(4_000)


def flip(good: bytes, seed: int) -> bytes:
    """Flip 1 + seed // 2 random bits after the first four bytes."""
    rng = random.Random(seed)
    data = bytearray(good)
    for _ in range(1 + seed // 2):
        data[rng.randrange(4, len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _misnamed() -> Iterator[tuple[str, bytes]]:
    for suffix in ("mid", "abc", "musicxml", "mxl"):
        for other, good in GOOD.items():
            if other != suffix:
                yield f"really-{other}.{suffix}", good
        for file_type, data in _OTHER_FILE_TYPES.items():
            yield f"{file_type}.{suffix}", data


def _oddly_named() -> Iterator[tuple[str, bytes]]:
    good = GOOD["mid"]
    yield "tune", good
    yield "tune.mid.exe", good
    yield "tune.kar", good
    yield "LOUD.MID", good
    yield "a\nline\tand \x1b[31mcolour\x07.mid", good[:30]
    yield "back\u202edim.mid", good[:30]
    yield "{0} {1!r:>99} %s %n.mid", good[:30]
    yield "@everyone `rm -rf` <b>.mid", good[:30]
    yield "é🎵" * 20 + ".mid", good[:30]
    yield "n" * 250 + ".mid", good[:30]
    yield ".mid", good
    yield " .mid", good[:30]
    yield "-o.mid", good[:30]


def write_all(folder: Path) -> list[Path]:
    """Write all files into a folder and return their paths."""
    paths = []
    for name, data in hostile_files():
        path = folder / name
        path.write_bytes(data)
        paths.append(path)
    return paths


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{len(write_all(target))} files in {target}\n")
