"""Which texts of a file are the words of a song, and when they are sung."""

from __future__ import annotations

import pytest

from mst_core.reading.midi.parts import read_midi_parts
from mst_core.reading.parsed_score import Limits
from tests.support.midi_files import SIMPLE, raw


def words(*texts: bytes, kind: int = 1, every: int = 96, name: bytes = b"") -> bytes:
    """A track of texts, one every ``every`` ticks."""
    named = b"\0\xff\3" + bytes([len(name)]) + name if name else b""
    return named + b"".join(bytes([every, 0xFF, kind, len(text)]) + text for text in texts)


def syllables(*tracks: bytes, form: int = 1) -> tuple[tuple[int, int], ...]:
    return read_midi_parts(raw(*tracks, form=form), Limits()).syllables


LINE = (b"\\Twin", b"kle ", b"twin", b"kle ", b"/lit", b"tle ", b"star ", b"/how ", b"I")


def test_lyric_events_are_syllables_of_their_track() -> None:
    assert syllables(SIMPLE, words(b"la", b"li", kind=5) + SIMPLE) == ((96, 1), (192, 1))


def test_a_line_break_alone_and_a_fact_are_no_syllables() -> None:
    assert syllables(words(b"@Tsong", b"\r", b"la", b" \n", kind=5) + SIMPLE) == ((288, 0),)


def test_the_texts_of_a_karaoke_track_are_syllables() -> None:
    found = syllables(SIMPLE, words(b"@KMIDI KARAOKE FILE", b"@LENGL", *LINE))
    assert found == tuple((96 * place, 1) for place in range(3, 12))


def test_words_in_the_only_track_of_a_file_are_syllables() -> None:
    assert len(syllables(words(*LINE) + SIMPLE, form=0)) == len(LINE)


@pytest.mark.parametrize(
    "track",
    [
        words(b"Verse 1", b"Chorus", b"Verse 2"),
        words(*[b"sequenced by someone with great care"] * 9),
        words(*LINE, every=0),
    ],
)
def test_headings_and_remarks_are_no_syllables(track: bytes) -> None:
    assert syllables(SIMPLE, track) == ()
