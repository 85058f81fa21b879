"""Hostile MIDI files, written byte by byte because no library would write them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

END = b"\x00\xff\x2f\x00"
_ON, _OFF = 0x90, 0x80


def number(value: int) -> bytes:
    """Write a variable-length quantity: seven bits a byte."""
    encoded = [value & 0x7F]
    while value := value >> 7:
        encoded.append(0x80 | value & 0x7F)
    return bytes(reversed(encoded))


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    """Write a chunk, with a false length where one is given."""
    return kind + struct.pack(">I", len(body) if length is None else length) + body


def header(form: int = 1, tracks: int = 1, division: int = 480) -> bytes:
    return chunk(b"MThd", struct.pack(">HHH", form, tracks, division))


def song(*tracks: bytes, form: int = 1, division: int = 480, end: bytes = END) -> bytes:
    """Write a file of these tracks, ``end`` after each."""
    return header(form, len(tracks), division) + b"".join(
        chunk(b"MTrk", track + end) for track in tracks
    )


def note(pitch: int, ticks: int = 240, channel: int = 0, velocity: int = 80) -> bytes:
    on, off = _ON | channel, _OFF | channel
    return bytes((0, on, pitch, velocity)) + number(ticks) + bytes((off, pitch, 0))


def meta(kind: int, body: bytes, length: int | None = None) -> bytes:
    return b"\x00\xff" + bytes((kind,)) + number(len(body) if length is None else length) + body


def scale(notes: int = 32, channel: int = 0, ticks: int = 240) -> bytes:
    return b"".join(
        note(60 + (0, 2, 4, 5, 7, 9, 11)[place % 7], ticks, channel) for place in range(notes)
    )


_METER = meta(0x58, b"\x04\x02\x18\x08")
_TEMPO = meta(0x51, b"\x07\xa1\x20")
GOOD = song(_METER + _TEMPO + meta(0x59, b"\x00\x00"), meta(0x03, b"Tune") + scale())


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of each file."""
    for name, data in (
        *_headers(), *_times(), *_notes(), *_metas(), *_streams(), *_floods(),
    ):  # fmt: skip
        yield f"midi-{name}.mid", data


def _headers() -> Iterator[tuple[str, bytes]]:
    body = scale()
    for form in (2, 3, 7, 0xFFFF):
        yield f"format-{form}", song(body, form=form)
    yield "format-0-with-three-tracks", song(body, body, body, form=0)
    for division in (0, 1, 7, 0x7FFF, 0x8000, 0xE728, 0xE250, 0xE700, 0xFFFF):
        yield f"division-{division:04x}", song(body, division=division)
    track = chunk(b"MTrk", body + END)
    yield "no-tracks-promised", header(tracks=0) + track
    yield "60000-tracks-promised", header(tracks=60_000) + track
    yield "60000-tracks", song(*[b""] * 60_000)
    yield "60000-tracks-with-a-note", song(*[note(60)] * 60_000)
    yield "200-tracks", song(*[scale(8, channel=place % 16) for place in range(200)])
    yield "header-only", header()
    yield "headers-only", header() * 500
    for length in (0, 5, 7, 60_000, 0xFFFFFFFF):
        yield f"header-of-{length}", chunk(b"MThd", b"\0\1\0\1\1\xe0", length) + track
    for length in (0, 1, len(body) - 3, 0x7FFFFFFF, 0xFFFFFFFF):
        yield f"track-of-{length}", header() + chunk(b"MTrk", body + END, length)
    yield "strange-chunks", header() + chunk(b"XFIH", b"?" * 99) * 300 + track
    yield "100000-strange-chunks", header() + chunk(b"XFIH", b"") * 100_000 + track
    yield "riff", chunk(b"RIFF", b"RMIDdata" + GOOD)
    yield "mac-binary", b"\0" * 128 + GOOD
    yield "within-itself", header() + chunk(b"MTrk", GOOD)


def _times() -> Iterator[tuple[str, bytes]]:
    far = number(0x0FFFFFFF)
    yield "far-away", song(far + note(60)[1:] + scale())
    yield "far-apart", song((far + note(60)[1:]) * 3_000)
    yield "note-of-a-year", song(note(60, 0x0FFFFFFF) * 9 + scale())
    yield "far-end", song(scale(), end=far + END[1:])
    for length in (5, 9, 1_000, 500_000):
        yield f"number-of-{length}-bytes", song(b"\xff" * length + b"\x7f" + note(60)[1:] + scale())
        yield f"zeros-of-{length}-bytes", song(b"\x80" * length + note(60) + scale())
    yield "no-time-at-all", song(scale(ticks=0))
    yield "one-tick-each", song(scale(2_000, ticks=1))
    yield "one-tick-each-coarse", song(scale(2_000, ticks=1), division=1)
    yield "prime-ticks", song(b"".join(note(60 + k % 12, 7_919 + 13 * k) for k in range(500)))


def _notes() -> Iterator[tuple[str, bytes]]:
    yield "no-notes", song(_METER + _TEMPO)
    yield "one-note", song(note(60))
    yield "one-note-again-and-again-at-once", song(note(60, 0) * 5_000)
    yield "silent-notes", song(b"".join(note(60, velocity=0) for _ in range(99)))
    yield "drums-only", song(scale(channel=9))
    yield "drums-only-format-0", song(scale(channel=9), form=0)
    yield "ends-only", song(b"\x10\x80\x3c\x00" * 99)
    yield "endless-notes", song(b"".join(bytes((9, _ON, k % 128, 80)) for k in range(10_000)))
    yield "endless-note", song(b"\x00\x90\x3c\x50" * 10_000)
    yield "one-endless-note", song(b"\x00\x90\x3c\x50")
    yield "ended-before-begun", song(b"\x00\x80\x3c\x00" + scale() + b"\x00\x90\x3c\x50")
    yield "chord-of-128", song(b"".join(bytes((0, _ON, k, 80)) for k in range(128)))
    wall = b"".join(bytes((0, _ON, k, 80)) for k in range(128))
    wall += b"".join(bytes((k == 0, _OFF, k, 0)) for k in range(128))
    yield "wall-of-sound", song(wall * 300)
    yield "every-channel", song(b"".join(scale(20, channel) for channel in range(16)), form=0)
    yield "extreme-pitches", song(b"".join(note(pitch) for pitch in (0, 127) * 40))
    yield "6000-notes", song(scale(6_000))
    yield "25000-notes", song(*[scale(2_500)] * 10)


def _metas() -> Iterator[tuple[str, bytes]]:
    body = scale()
    for upper, lower in ((1, 0), (0, 2), (4, 255), (255, 7), (99, 5), (0, 0), (4, 31)):
        yield f"meter-{upper}-{lower}", song(meta(0x58, bytes((upper, lower, 24, 8))) + body)
    for tempo in (b"\0\0\0", b"\0\0\1", b"\xff\xff\xff", b"", b"\7", b"\7\xa1\x20" * 9):
        yield f"tempo-{tempo[:4].hex() or 'none'}-{len(tempo)}", song(meta(0x51, tempo) + body)
    for key in (b"\x7f\x00", b"\x80\x01", b"\x00\x09", b"", b"\x01"):
        yield f"key-{key.hex() or 'none'}", song(meta(0x59, key) + body)
    yield "meter-of-two-bytes", song(meta(0x58, b"\4\2") + body)
    for name, text in (
        ("not-utf-8", b"\xc3\x28\xff\xfe"), ("nul", b"a\0b\0"), ("escapes", b"\x1b[2J\r\n@here"),
        ("japanese", "旋律".encode("shift-jis")), ("of-a-million", b"la" * 500_000),
        ("braces", b"{0} {x} %s"), ("backwards", "\u202e".encode()),
    ):  # fmt: skip
        yield f"name-{name}", song(meta(0x03, text) + body, meta(0x03, text) + scale(9, 1))
    yield "meta-that-never-ends", song(body + meta(0x01, b"la", 0x0FFFFFFF))
    yield "meta-of-every-kind", song(b"".join(meta(kind, b"??") for kind in range(128)) + body)
    yield (
        "meter-everywhere",
        song(
            b"".join(
                meta(0x58, bytes((1 + k % 9, k % 5, 24, 8))) + note(60 + k % 9) for k in range(900)
            )
        ),
    )
    yield "meter-changes-within-bars", song((meta(0x58, b"\x07\x03\x18\x08") + note(60, 333)) * 400)


def _streams() -> Iterator[tuple[str, bytes]]:
    body = scale()
    yield "no-end", song(body, end=b"")
    yield "music-behind-the-end", song(body + END + body)
    yield "two-ends", song(body, end=END * 50)
    yield "running-from-nowhere", song(b"\x00\x3c\x50\x60\x3c\x00" * 40)
    yield "running-after-meta", song(note(60) + _TEMPO + b"\x00\x3c\x50\x60\x3c\x00" * 40)
    yield "running", song(note(60) + b"\x00\x90\x3c\x50" + b"\x60\x3c\x00\x00\x3e\x50" * 40)
    yield "data-above-127", song(b"\x00\x90\xbc\xd0\x60\x80\xbc\x00" * 40)
    for status in (0xF0, 0xF1, 0xF2, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xFD, 0xFE):
        yield f"status-{status:02x}", song(body + bytes((0, status)) + body)
    yield "sysex-that-never-ends", song(body + b"\x00\xf0\xff\xff\xff\x7f" + b"\x41" * 500)
    yield "cut-in-a-note", song(body + b"\x00\x90", end=b"")
    yield "only-a-delta", song(b"\x81", end=b"")


def _floods() -> Iterator[tuple[str, bytes]]:
    yield "sysex-flood", song(b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7" * 300_000 + scale())
    yield "sysex-of-4-mb", song(b"\x00\xf0" + number(4_000_000) + b"\x41" * 4_000_000 + scale())
    yield "wheel-flood", song(b"".join(b"\x01\xe0\x00\x40" for _ in range(600_000)) + scale())
    yield "tempo-flood", song(_TEMPO * 300_000 + scale())
    yield (
        "tempo-at-every-tick",
        song(
            b"".join(b"\x01\xff\x51\x03\x07" + struct.pack(">H", k) for k in range(60_000))
            + scale()
        ),
    )
    yield "meter-flood", song(_METER * 200_000 + scale())
    yield "key-flood", song(meta(0x59, b"\x02\x00") * 200_000 + scale())
    yield "name-flood", song(meta(0x03, b"la") * 200_000 + scale())
    yield "program-flood", song(b"\x00\xc0\x05\x00\xc1\x06" * 200_000 + scale())
    yield "note-flood", song(scale(500_000, ticks=10))
    yield "note-flood-at-once", song(b"".join(bytes((0, _ON, k % 128, 9)) for k in range(390_000)))
    yield "bar-flood", song(note(60) + number(0x0FFFFFF) + note(62)[1:] + scale(), division=1)
    yield "6-mb", song(scale()) + bytes(6_000_000)
