"""Recordings, pictures and files of other programs are answered with what to send instead."""

from __future__ import annotations

import pytest

from bot.texts import Texts
from mst_core.errors import AudioFile, ForeignScore, MstError, PictureFile, UnreadableScore
from mst_core.reading.formats import ScoreFormat, detect_format
from mst_core.reading.load import load_score

RECORDINGS = {
    "mp3": b"ID3\x04" + bytes(60),
    "wav": b"RIFF\x24\x02\0\0WAVEfmt " + bytes(40),
    "ogg": b"OggS\0\x02" + bytes(22) + b"\x01\x1e\x01vorbis" + bytes(20),
    "opus": b"OggS\0\x02" + bytes(22) + b"\x01\x13OpusHead" + bytes(20),
    "m4a": b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(40),
    "flac": b"fLaC\0\0\0\x22" + bytes(40),
    "aac": b"\xff\xf1\x50\x80" + bytes(60),
    "wma": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(40),
    "mp4": b"\0\0\0\x20ftypisom\0\0\x02\0" + bytes(40),
    "aiff": b"FORM\0\0\x10\0AIFFCOMM" + bytes(40),
    "mkv": b"\x1a\x45\xdf\xa3" + bytes(60),
    "avi": b"RIFF\0\0\x10\0AVI LIST" + bytes(40),
}
PICTURES = {
    "pdf": b"%PDF-1.7\n" + bytes(60),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(60),
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(60),
}
PROGRAMS = {
    "gp5": b"\x18FICHIER GUITAR PRO v5.10" + bytes(60),
    "mus": b"ENIGMA BINARY FILE" + bytes(60),
    "sib": b"\x0fSIBELIUS\0\0" + bytes(60),
    "mscx": b'<?xml version="1.0" encoding="UTF-8"?>\n<museScore version="4.0">' + bytes(9),
}
ALL = [
    *((suffix, data, AudioFile) for suffix, data in RECORDINGS.items()),
    *((suffix, data, PictureFile) for suffix, data in PICTURES.items()),
    *((suffix, data, ForeignScore) for suffix, data in PROGRAMS.items()),
]


@pytest.mark.parametrize(("suffix", "data", "error"), ALL)
def test_a_file_without_notes_is_named_before_its_download(
    suffix: str, data: bytes, error: type[MstError]
) -> None:
    with pytest.raises(error, match=rf"my tune\.{suffix} is a"):
        detect_format(f"my tune.{suffix}", len(data))


@pytest.mark.parametrize("name", ["tune.mid", "tune.abc", "tune.xml", "tune", "tune.zip"])
@pytest.mark.parametrize(("suffix", "data", "error"), ALL)
def test_a_file_without_notes_is_named_by_its_content_whatever_its_name_says(
    name: str, suffix: str, data: bytes, error: type[MstError]
) -> None:
    with pytest.raises(error, match=rf"{name} is a"):
        load_score(name, data)


def test_a_recording_that_is_too_large_is_called_a_recording() -> None:
    with pytest.raises(AudioFile):
        detect_format("song.wav", 90_000_000)
    with pytest.raises(AudioFile):
        detect_format("song.mid", 90_000_000, RECORDINGS["wav"])


@pytest.mark.parametrize(
    "name", ["a.mscz", "a.gp", "a.gpx", "a.musx", "a.dorico", "a.nwc", "a.ly", "a.flp", "a.MSCZ"]
)
def test_a_file_of_another_program_is_answered_with_its_export_command(name: str) -> None:
    with pytest.raises(ForeignScore, match=r"export it as MusicXML or MIDI \(.{8,60}\)"):
        detect_format(name, 1_000)


def test_an_archive_is_to_be_unpacked() -> None:
    with pytest.raises(UnreadableScore, match=r"tunes\.zip is an archive; unpack it"):
        detect_format("tunes.zip", 1_000)


@pytest.mark.parametrize(
    ("suffix", "says"),
    [("mp3", "recording (MP3)"), ("pdf", "picture (PDF)"), ("gp5", "Guitar Pro")],
)
def test_the_bot_says_what_to_send_instead(suffix: str, says: str) -> None:
    with pytest.raises(MstError) as rejection:
        detect_format(f"tune.{suffix}", 1_000)
    text = Texts.open().render_error(rejection.value, "en-GB")
    assert f"“tune.{suffix}” is a" in text
    assert says in text
    assert "MIDI" in text


@pytest.mark.parametrize(
    "start", ["MAC Donald's reel", "caffe latte", "SIBELIUS: Finlandia", "ID tune"]
)
def test_words_before_a_tune_are_no_other_kind_of_file(start: str) -> None:
    tune = f"{start}\nX:1\nK:C\nCDEF|\n".encode()
    assert detect_format("a.abc", len(tune), tune) is ScoreFormat.ABC


def test_a_midi_file_after_the_header_of_another_computer_is_midi() -> None:
    wrapped = bytes(128) + b"MThd\0\0\0\x06\0\0\0\x01\0\x60"
    assert detect_format("song.mid", len(wrapped), wrapped) is ScoreFormat.MIDI
