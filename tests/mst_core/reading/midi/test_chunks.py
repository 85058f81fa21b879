"""What is around the notes of a MIDI file, right or wrong: wrapper, header, lengths, ends."""

from __future__ import annotations

import struct

import pytest

from mst_core.errors import NoMelody
from mst_core.reading.load import load_score
from mst_core.reading.midi.read import read_midi
from tests.support.midi_files import END, SIMPLE, chunk, raw

PLAIN = raw(SIMPLE + END)
TRACK = 14
"""The byte at which the first track begins."""
SONG = raw(SIMPLE + END, SIMPLE.replace(b"\x3c", b"\x30").replace(b"\x40", b"\x34") + END, form=1)
"""The tune, and a bass."""


def with_length(data: bytes, length: int, *, track: int = 0) -> bytes:
    """The file, with another length in a track chunk."""
    place = -1
    for _ in range(track + 1):
        place = data.index(b"MTrk", place + 1)
    return data[: place + 4] + struct.pack(">I", length) + data[place + 8 :]


def found(data: bytes) -> tuple[list[tuple[int, ...]], tuple[str, ...]]:
    """The pitches of the melody and of the other parts, and the remarks."""
    score = read_midi(data, track=1)
    others = [tuple(note.pitch for note in part.notes) for part in score.parts]
    return [score.melody.pitches, *others], score.warnings


BOTH = [(60, 64), (48, 52)]


def test_chunks_of_other_kinds_and_trailing_zeros_are_skipped() -> None:
    file = PLAIN[:14] + chunk(b"XFIH", b"anything") + PLAIN[14:] + b"\0" * 100
    assert read_midi(file) == read_midi(PLAIN)


@pytest.mark.parametrize("between", [
    chunk(b"XFIH", b"anything"), chunk(b"XFKM", b""), b"junk", b"\0" * 7, b"\xff\xfe" * 9,
    b"LIST\x04\0\0\0INFO",
])  # fmt: skip
def test_a_track_after_other_bytes_is_found(between: bytes) -> None:
    second = SONG.index(b"MTrk", TRACK + 1)
    assert found(SONG[:second] + between + SONG[second:]) == found(SONG)


@pytest.mark.parametrize("name", ["song.mid", "song.rmi", "song.kar"])
@pytest.mark.parametrize("head", [
    b"RIFF\x40\0\0\0RMIDdata\x30\0\0\0",
    b"\0\x08song.mid" + bytes(55) + b"Midi" + bytes(59),
    b"\0\x05\x16\0\0\x02\0\0" + bytes(70),
    b"\xef\xbb\xbf",
    b"\r\n" * 500,
])  # fmt: skip
def test_a_file_inside_a_wrapper_is_read(name: str, head: bytes) -> None:
    score = load_score(name, head + PLAIN + b"\0" * 50)
    assert score.melody == read_midi(PLAIN).melody
    skipped = f"The {len(head)} bytes before the header of the file were skipped."
    assert (skipped in score.warnings) is not head.startswith(b"RIFF")


@pytest.mark.parametrize("length", [0, 5, 7, 8, 22, 60_000, 0xFFFFFFFF])
def test_a_header_of_a_wrong_length_is_read(length: int) -> None:
    pitches, remarks = found(SONG[:4] + struct.pack(">I", length) + SONG[8:])
    assert pitches == BOTH
    wrong = "The header of the file has a wrong length; the tracks after it were found."
    assert wrong in remarks


def test_a_longer_header_is_read() -> None:
    file = PLAIN[:4] + b"\0\0\0\x08" + PLAIN[8:14] + b"\0\0" + PLAIN[14:]
    assert read_midi(file) == read_midi(PLAIN)


@pytest.mark.parametrize("announced", [0, 1, 5, 60_000])
def test_a_wrong_number_of_tracks_is_remarked(announced: int) -> None:
    file = SONG[:10] + struct.pack(">H", announced) + SONG[12:]
    pitches, remarks = found(file)
    assert pitches == BOTH
    assert f"The file announces {announced} tracks and holds 2." in remarks


@pytest.mark.parametrize("track", [0, 1])
@pytest.mark.parametrize("wrong", [-20, -17, -5, -4, -1, 1, 2, 4, 9, 28, 1_000, 0xFFFFFFFF])
def test_a_track_of_a_wrong_length_is_read_to_its_end(track: int, wrong: int) -> None:
    length = len(SIMPLE + END) + wrong if wrong < 0xFFFFFFFF else wrong
    pitches, remarks = found(with_length(SONG, length, track=track))
    assert pitches == BOTH
    assert "The length of one track is wrong in the file; it was read to its real end." in remarks


def test_wrong_lengths_are_counted() -> None:
    file = with_length(with_length(SONG, 0), 0, track=1)
    pitches, remarks = found(file)
    assert pitches == BOTH
    assert (
        "The lengths of 2 tracks are wrong in the file; they were read to their real ends."
        in remarks
    )


def test_a_missing_end_mark_is_no_fault() -> None:
    assert found(raw(SIMPLE, SIMPLE, form=1)) == found(raw(SIMPLE + END, SIMPLE + END, form=1))


@pytest.mark.parametrize("after", [b"\0" * 40, b"\r\n\x1a", b"\0\xff", END * 9, b"song by me"])
def test_what_follows_an_end_mark_without_being_music_is_ignored(after: bytes) -> None:
    assert found(raw(SIMPLE + END + after)) == found(PLAIN)


@pytest.mark.parametrize("before", [b"", b"\0\xff\x02\x02me", b"\0\xc0\x05"])
def test_notes_after_an_early_end_mark_are_kept(before: bytes) -> None:
    pitches, remarks = found(raw(before + END + SIMPLE + END))
    assert pitches == [(60, 64)]
    assert "2 notes after the end mark of their track were kept." in remarks


def test_a_file_cut_off_in_its_last_track_keeps_the_tune() -> None:
    pitches, remarks = found(SONG[:-14])
    assert pitches == [(60, 64), (48,)]
    assert "Track 2 breaks off in the file; the one note before that was kept." in remarks


def test_of_several_sequences_the_first_with_notes_is_read() -> None:
    second = SIMPLE.replace(b"\x40", b"\x41")
    score = read_midi(raw(SIMPLE, second, form=2))
    assert score.melody.pitches == (60, 64)
    remark = "The file holds 2 sequences (format 2); the first with notes was read."
    assert remark in score.warnings
    tempo = b"\0\xff\x51\3\x0b\x71\xb0"  # 80 quarters a minute
    late = read_midi(raw(tempo, SIMPLE, form=2))
    assert (late.melody.pitches, round(late.melody.tempo)) == ((60, 64), 80)
    assert not any("sequences" in each for each in late.warnings)


def test_a_file_of_format_0_with_an_empty_first_track_is_read() -> None:
    assert read_midi(raw(END, SIMPLE + END, form=0)).melody.pitches == (60, 64)


def test_an_unknown_format_is_read_as_tracks_that_sound_together() -> None:
    pitches, remarks = found(SONG[:8] + b"\0\x07" + SONG[10:])
    assert pitches == BOTH
    assert "The file says that it is of format 7; it was read as 1." in remarks


def test_of_two_files_in_one_the_first_is_read() -> None:
    pitches, remarks = found(PLAIN + SONG)
    assert pitches == [(60, 64)]
    assert "A second MIDI file follows the first, which was read." in remarks


@pytest.mark.parametrize("division", [0xE728, 0xE250, 0xE308, 0xE808])
def test_film_frames_are_counted_as_time(division: int) -> None:
    frames, ticks = 256 - (division >> 8), division & 0xFF
    half_second = round(({29: 29.97}.get(frames, frames)) * ticks / 2)
    beat = bytes([0x80 | half_second >> 7, half_second & 0x7F])
    tune = b"".join(
        b"\0\x90" + bytes([pitch, 80]) + beat + b"\x80" + bytes([pitch, 0])
        for pitch in (60, 62, 64)
    )
    score = read_midi(raw(tune + END, division=division))
    assert [note.onset for note in score.melody.notes] == [0, 1, 2]
    assert score.melody.tempo == pytest.approx(120, abs=0.2)
    assert (
        "The file counts film frames (SMPTE), not beats; 120 quarter notes a minute were assumed."
        in score.warnings
    )


def test_a_whole_file_without_notes_has_no_melody() -> None:
    with pytest.raises(NoMelody):
        read_midi(raw(END))
