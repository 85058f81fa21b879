"""Reads ABC notation into a tune and a score. All times are exact fractions.

Read are notes, rests, chords (their top note), ties, broken rhythm, tuplets, accidentals to the end
of the bar, keys with modes, changes of key, meter and unit, repeats and endings, and the first of
several voices. Grace notes, decorations, chord symbols, slurs and lyrics are left out. Unknown
characters are skipped, as the ABC standard 2.1 demands.

The lines are read in one loop without recursion; characters, notes and numbers are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mst_core.errors import BadOption, NoMelody, TooLong, UnreadableScore
from mst_core.music import Key
from mst_core.reading.abc.fields import (
    default_unit,
    read_key,
    read_meter,
    read_tempo,
    read_unit,
    without_comment,
)
from mst_core.reading.abc.melody import build_melody, lay_out_tune
from mst_core.reading.abc.tokens import FieldToken, Token, tokenize
from mst_core.reading.abc.tune import AbcTune
from mst_core.reading.abc.voice import VoiceBuilder
from mst_core.reading.formats import decode_text
from mst_core.reading.parsed_score import Limits, ParsedScore

MAX_CHARACTERS = 2_000_000
MAX_NOTES = 20_000
MAX_FIELD_LENGTH = 500
"""Characters that are kept of a header field such as the title."""
ACCEPTED = "an ABC file with the lines X:, T:, M:, L:, K: and then the notes is accepted"
_FIELD = re.compile(r"\s{0,9}([A-Za-z]):(.*)")
_BODY_FIELDS = frozenset("IKLMmNPQRrsTUVWwZBCDFGHOS")
_PROGRAM = re.compile(
    r"^(?:%%|I:)MIDI[ \t]+program[ \t]+(?:\d{1,2}[ \t]+)?(\d{1,3})\b", re.MULTILINE
)


def read_abc_score(
    data: str | bytes,
    *,
    track: int | None = None,
    tune: int | None = None,
    limits: Limits = Limits(),
) -> ParsedScore:
    """Read the first tune of an ABC file, every note once as it is written.

    Args:
        data: The file; bytes are UTF-8 or UTF-16, or Latin-1 as in old files.
        track: The voice that is the melody, from 1; None takes the first.
        tune: The tune of a book, from 1; None takes the first that can be read.
        limits: Sizes above which a file is rejected.

    Returns:
        The melody with its title and the General MIDI program, and warnings about what is not read.

    Raises:
        UnreadableScore: when it is not ABC, or a number or pitch is out of range.
        NoMelody: when there are fewer than two notes.
        TooLong: when it exceeds the limits.
        BadOption: for a track or a tune that is not there.
    """
    if isinstance(data, bytes):
        if len(data) > limits.file_bytes:
            raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
        data = decode_text(data)
        if "\0" in data:
            raise UnreadableScore("the file is no text", ACCEPTED)
    texts = list(split_tunes(data, max_characters=limits.events))
    if not texts:
        raise UnreadableScore("no tune was found in the text", ACCEPTED)
    if track is not None:
        raise BadOption("track", track, "MIDI and MusicXML files have tracks; this is ABC")
    if tune is not None and not 1 <= tune <= len(texts):
        raise BadOption("tune", tune, f"the file has tunes 1 to {len(texts)}")
    found = read_tune(texts[(tune or 1) - 1], max_notes=limits.melody_notes)
    layout = lay_out_tune(found, max_bars=limits.bars)
    melody = build_melody(found, layout)
    if melody.seconds > limits.seconds:
        raise TooLong(f"{melody.seconds:.0f} seconds", f"{limits.seconds:g} seconds")
    program = _PROGRAM.search(texts[0])
    return ParsedScore(
        title=found.title,
        melody=melody,
        program=int(program[1]) if program and int(program[1]) < 128 else None,
        warnings=(*_warnings(found, len(texts)), *layout.warnings),
    )


def _warnings(tune: AbcTune, n_tunes: int) -> Iterator[str]:
    """Name what of the file is not in the melody, or not as it is written."""
    if n_tunes > 1:
        yield f"the file holds {n_tunes} tunes; the first one was taken"
    yield from tune.warnings


def split_tunes(text: str, *, max_characters: int = MAX_CHARACTERS) -> Iterator[str]:
    """Split a file into tunes, and put the L:, M:, R: and Q: fields of its own header before each.

    Args:
        text: A whole ABC file. A tune begins at an X: line; without any the file is one tune.
        max_characters: Longest text.

    Yields:
        The text of each tune.

    Raises:
        TooLong: when the text is longer than ``max_characters``.
    """
    if len(text) > max_characters:
        raise TooLong(f"{len(text)} characters", f"{max_characters} characters")
    lines = text.lstrip("\ufeff").splitlines()
    starts = [number for number, line in enumerate(lines) if line.lstrip().startswith("X:")]
    if not starts:
        if text.strip():
            yield text
        return
    header = [line for line in lines[: starts[0]] if line[:2] in ("L:", "M:", "R:", "Q:")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield "\n".join(header + lines[start:end])


def read_tune(text: str, *, max_notes: int = MAX_NOTES) -> AbcTune:
    """Read one tune.

    Args:
        text: The tune: its header up to a K: line, then the music up to an empty line.
        max_notes: Most notes and rests.

    Returns:
        The tune as it is written, repeats and endings marked.

    Raises:
        UnreadableScore: when there is no K: line, or a number or pitch is out of range.
        NoMelody: when it has no note.
        TooLong: when it has more than ``max_notes`` notes and rests.
    """
    header, key, body = _split_header(text)
    if key is None:
        raise UnreadableScore("the text has no K: line, which names the key", ACCEPTED)
    key_name, tonality, signature = key
    meter = read_meter(header.get("M", ["none"])[-1])
    unit = read_unit(header["L"][-1]) if "L" in header else default_unit(meter)
    declared = [words[0] for text in header.get("V", ()) if (words := text.split())]
    voice = VoiceBuilder(signature, unit, meter, max_notes)
    voices, melody_voice, in_melody = set(declared), "", True
    tempos = [tempo for text in header.get("Q", ()) if (tempo := read_tempo(text, unit))]
    signatures = [signature]
    for line in body:
        field = _body_field(line)
        for token in [field] if field else tokenize(line):
            if isinstance(token, FieldToken) and token.letter == "V":
                name = (token.text.split() or ["1"])[0]
                if not melody_voice:
                    # Music before any V: field belongs to the first voice that the header declares.
                    melody_voice = name if voice.is_empty else (declared or ["1"])[0]
                voices |= {melody_voice, name}
                in_melody = name == melody_voice
            elif in_melody and isinstance(token, FieldToken) and token.letter == "Q":
                tempos += [tempo for tempo in (read_tempo(token.text, voice.unit),) if tempo]
            elif in_melody:
                _apply(voice, token)
                signatures += [voice.signature] * (voice.signature != signatures[-1])
    measures = voice.finish()
    if not any(note.pitch is not None for measure in measures for note in measure.notes):
        raise NoMelody(f"the ABC tune {header.get('X', ['it holds'])[0][:20]}")
    n_voices = len(voices)
    warnings = {
        f"it is written for {n_voices} voices; the first one was taken": n_voices > 1,
        "of chords the top note was taken": voice.has_chords,
        "the key changes on the way; the first one is named": len(signatures) > 1,
        "the tempo changes on the way; the first one is kept": len(set(tempos)) > 1,
    }
    return AbcTune(
        reference_number=header.get("X", [""])[0],
        title=header.get("T", [""])[0],
        rhythm=header["R"][0] if "R" in header else None,
        meter=meter,
        key=tonality,
        key_name=key_name,
        tempo=tempos[0] if tempos else None,
        measures=measures,
        declared_voices=len(set(declared)),
        warnings=tuple(warning for warning, holds in warnings.items() if holds),
    )


def _split_header(
    text: str,
) -> tuple[dict[str, list[str]], tuple[str, Key, dict[str, int]] | None, list[str]]:
    """Return the fields up to the first K:, the key, and the lines of music after it."""
    header: dict[str, list[str]] = {}
    lines = iter(text.splitlines())
    for line in lines:
        field = _FIELD.match(line)
        if not field:
            continue
        letter, value = field[1], without_comment(field[2])
        header.setdefault(letter, []).append(value[:MAX_FIELD_LENGTH])
        if letter == "K":
            key = read_key(value)
            body: list[str] = []
            for music in lines:
                if not music.strip():
                    if body:
                        break
                elif not music.startswith("+:"):  # continues the lyrics of the line before
                    body.append(without_comment(music))
            return header, key or read_key(""), body
    return header, None, []


def _body_field(line: str) -> FieldToken | None:
    """Parse a line that is a field; ``G:|`` is a note and a barline."""
    match = _FIELD.match(line)
    if match and match[1] in _BODY_FIELDS and match[2].lstrip()[:1] not in ("|", ":"):
        return FieldToken(match[1], match[2].strip())
    return None


def _apply(voice: VoiceBuilder, token: Token) -> None:
    """Add a token to a voice; a K:, M: or L: field holds for the tokens after it."""
    if not isinstance(token, FieldToken):
        voice.add(token)
    elif token.letter == "K":
        key = read_key(token.text)
        voice.signature = key[2] if key else voice.signature
    elif token.letter == "M":
        voice.meter = read_meter(token.text)
    elif token.letter == "L":
        voice.unit = read_unit(token.text)
