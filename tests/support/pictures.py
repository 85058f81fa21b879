"""Helpers for the tests of score pictures: long tunes, PNG sizes and rows, note heads."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

from mst_core.music import Melody


def repeat_tune(tune: Melody, times: int) -> Melody:
    """Return the tune ``times`` times in a row, without its pickup."""
    notes = [note for note in tune.notes if note.onset >= 0]
    return replace(
        tune,
        notes=tuple(
            replace(note, onset=note.onset + time * tune.length)
            for time in range(times)
            for note in notes
        ),
        bar_count=tune.bar_count * times,
    )


def png_size(png: bytes) -> tuple[int, int]:
    """Return width and height in pixels."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def png_rows(png: bytes) -> list[bytes]:
    """Return the rows of an RGBA PNG with 8 bits per channel."""
    width, height = png_size(png)
    data, position = b"", 8
    while position < len(png):
        length, chunk_type = struct.unpack(">I4s", png[position : position + 8])
        if chunk_type == b"IDAT":
            data += png[position + 8 : position + 8 + length]
        position += length + 12
    assert png[24:26] == b"\x08\x06"
    raw, stride = zlib.decompress(data), 4 * width
    above = bytearray(stride)
    picture: list[bytes] = []
    for row in range(height):
        start = row * (stride + 1)
        filter_type, line = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for i in range(stride):
            left = line[i - 4] if i >= 4 else 0
            corner = above[i - 4] if i >= 4 else 0
            guess = (0, left, above[i], (left + above[i]) // 2, 0)[filter_type]
            if filter_type == 4:
                estimate = left + above[i] - corner
                guess = min((left, above[i], corner), key=lambda each: abs(estimate - each))
            line[i] = (line[i] + guess) % 256
        picture.append(bytes(line))
        above = line
    return picture


def count_noteheads(svg: str) -> int:
    """Return the number of note heads in an engraved score."""
    return svg.count('class="notehead"')
