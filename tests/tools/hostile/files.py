"""Nasty files, the same each time: what people send by mistake, and what they send on purpose.

``python -m tests.tools.hostile.files FOLDER`` writes them all. The makers of each kind are in
`midi`, `abc`, `mxl` and `musicxml`; here is what can be done to a file of any kind.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.tools.hostile import abc as nasty_abc
from tests.tools.hostile import midi as nasty_midi
from tests.tools.hostile import musicxml as nasty_xml
from tests.tools.hostile import mxl as nasty_mxl

GOOD = {
    "mid": nasty_midi.GOOD,
    "abc": nasty_abc.GOOD,
    "musicxml": nasty_xml.GOOD,
    "mxl": nasty_mxl.GOOD,
}
"""A small good file of each kind."""
_CUTS = 14
_FLIPS = 22

_FOREIGN = {
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


def nasty_files() -> Iterator[tuple[str, bytes]]:
    """Yield each as its name and bytes. All names differ."""
    yield from _mangled()
    yield from _misnamed()
    yield from _oddly_named()
    for maker in (nasty_midi, nasty_abc, nasty_xml, nasty_mxl):
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
    """Flip some bits, few for small seeds; the magic bytes stay."""
    dice = random.Random(seed)
    data = bytearray(good)
    for _ in range(1 + seed // 2):
        data[dice.randrange(4, len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _misnamed() -> Iterator[tuple[str, bytes]]:
    for suffix in ("mid", "abc", "musicxml", "mxl"):
        for other, good in GOOD.items():
            if other != suffix:
                yield f"really-{other}.{suffix}", good
        for foreign, data in _FOREIGN.items():
            yield f"{foreign}.{suffix}", data


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
    """Write each into the folder, and return where."""
    paths = []
    for name, data in nasty_files():
        path = folder / name
        path.write_bytes(data)
        paths.append(path)
    return paths


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{len(write_all(target))} files in {target}\n")
