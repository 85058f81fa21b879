"""Reads an ABC file into a score: a tune of it, and of that the voice that is the melody.

Read are notes, rests, chords (their top note), ties, broken rhythm, tuplets, accidentals to the end
of the bar, keys with modes, changes of key, meter, unit and tempo, repeats and endings, chord
symbols, grace notes and transposition. Decorations, slurs and lyrics are left out. Unknown
characters are skipped, as the ABC standard 2.1 demands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mst_core.errors import BadOption, MstError, TooLong, UnreadableScore
from mst_core.music import Melody
from mst_core.reading.abc.book import find_title, holds_music, split_tunes
from mst_core.reading.abc.melody import build_melody, build_part, describe_moved_notes, lay_out_tune
from mst_core.reading.abc.melody_voice import choose_voice
from mst_core.reading.abc.text import decode_abc
from mst_core.reading.abc.tune import AbcTune
from mst_core.reading.abc.voices import ACCEPTED, read_tune, read_voices
from mst_core.reading.key_finding import describe_settled_key, settle_key
from mst_core.reading.parsed_score import Limits, ParsedScore

__all__ = ["read_abc_score", "read_tune", "split_tunes"]


def read_abc_score(
    data: str | bytes,
    *,
    track: int | None = None,
    tune: int | None = None,
    limits: Limits = Limits(),
) -> ParsedScore:
    """Read a tune of an ABC file, every note once as it is written.

    Args:
        data: The file; bytes in any character set (`decode_abc`).
        track: The voice that is the melody, from 1; None finds it.
        tune: The tune of a book, from 1; None takes the first that can be read.
        limits: Sizes above which a file is rejected.

    Returns:
        The melody with its title and the General MIDI program, and remarks about what was assumed,
        repaired or left out.

    Raises:
        UnreadableScore: when it is not ABC, or a number or pitch is out of range.
        NoMelody: when there are fewer than two notes.
        TooLong: when it exceeds the limits.
        BadOption: for a track or a tune that is not there.
    """
    if isinstance(data, bytes):
        if len(data) > limits.file_bytes:
            raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
        data = decode_abc(data)
        if "\0" in data:
            raise UnreadableScore("the file is no text", ACCEPTED)
    entries = list(split_tunes(data, max_characters=limits.file_bytes))
    texts = [text for text in entries if holds_music(text)] or entries[:1]
    if not texts:
        raise UnreadableScore("no tune was found in the text", ACCEPTED)
    if tune is not None and not 1 <= tune <= len(texts):
        raise BadOption("tune", tune, f"the file has {_count(len(texts), 'tune')}")
    number, score, unread = _read_first(texts, track, tune, limits)
    is_book = len(texts) > 1
    return ParsedScore(
        title=score.title,
        melody=score.melody,
        program=score.program,
        parts=score.parts,
        candidates=score.candidates,
        track=score.track,
        tunes=tuple(map(find_title, texts)) if is_book else (),
        tune=number if is_book else None,
        warnings=(
            *_book_warnings(texts, number, len(entries) - len(texts), unread, chosen=tune),
            *score.warnings,
        ),
    )


def _read_first(
    texts: Sequence[str], track: int | None, tune: int | None, limits: Limits
) -> tuple[int, ParsedScore, MstError | None]:
    """The number of the tune that was read, its score, and why the first one was not."""
    first_error: MstError | None = None
    numbers = range(1, len(texts) + 1) if tune is None else [tune]
    for number in numbers:
        try:
            return number, _read_one(texts[number - 1], track, limits), first_error
        except BadOption:
            raise
        except MstError as error:
            first_error = first_error or error
    assert first_error is not None  # noqa: S101 - there is a text, and it could not be read
    raise first_error


def _read_one(text: str, track: int | None, limits: Limits) -> ParsedScore:
    """Read one tune of a file."""
    if len(text) > limits.events:
        raise TooLong(f"{len(text)} characters", f"{limits.events} characters")
    voices = read_voices(text, max_notes=limits.melody_notes, max_voices=limits.tracks)
    chosen = choose_voice(voices, track)
    voice = chosen.tune
    layout = lay_out_tune(voice, max_bars=limits.bars)
    melody = build_melody(voice, layout, chords_of=_chord_voice(voice, voices))
    stated = melody.key
    melody = _with_settled_key(melody, voice)
    if melody.seconds > limits.seconds:
        raise TooLong(f"{melody.seconds:.0f} seconds", f"{limits.seconds:g} seconds")
    return ParsedScore(
        title=voice.title,
        melody=melody,
        parts=tuple(
            build_part(other, number, voice, layout)
            for number, other in enumerate(voices, start=1)
            if number != chosen.number
        ),
        program=voice.program,
        candidates=chosen.candidates,
        track=chosen.number if len(voices) > 1 else None,
        warnings=(
            *chosen.remarks,
            *voice.warnings,
            *layout.warnings,
            *describe_moved_notes(voice, layout, melody),
            *(describe_settled_key(stated, melody.key) if voice.names_key else ()),
        ),
    )


def _with_settled_key(melody: Melody, voice: AbcTune) -> Melody:
    """The melody in the key that its notes have, where the file names none or clearly another."""
    if melody.key_changes:
        return melody
    key = settle_key(melody.key, melody.notes, mode_stated=voice.names_key)
    # Without a K: field the notes are read without sharps: their key has none either.
    if not voice.names_key and key.fifths != melody.key.fifths:
        return melody
    return replace(melody, key=key)


def _chord_voice(voice: AbcTune, voices: Sequence[AbcTune]) -> AbcTune:
    """The voice whose chord symbols are taken: the melody, else one with as many measures."""
    alike = [each for each in voices if len(each.measures) == len(voice.measures)]
    for each in (voice, *alike):
        if any(note.chord for measure in each.measures for note in measure.notes):
            return each
    return voice


def _book_warnings(
    texts: Sequence[str],
    number: int,
    without_music: int,
    unread: MstError | None,
    *,
    chosen: int | None,
) -> Iterator[str]:
    """Name the tune that was taken from a book, and what comes before it."""
    if len(texts) > 1 and chosen is None:
        title = find_title(texts[number - 1])
        named = f', "{title[:60]}",' if title else ""
        yield f"The file holds {len(texts)} tunes; number {number}{named} was taken."
    if unread is not None:
        title = find_title(texts[0])
        named = f', "{title[:60]}",' if title else ""
        yield f"Number 1{named} was left out, since it cannot be read: {unread}."
    if without_music:
        left_out = "1 entry was" if without_music == 1 else f"{without_music} entries were"
        yield f"{left_out} left out, since no music is in it."


def _count(number: int, noun: str) -> str:
    """``1 tune`` or ``tunes 1 to 5``."""
    return f"1 {noun}" if number == 1 else f"{noun}s 1 to {number}"
