"""ABC music to tunes, exactly: every time is a Fraction, nothing is rounded.

Read: notes, rests, chords (their top note), ties, broken rhythm, tuplets, accidentals through the
bar, keys with modes, changes of key, meter and unit, repeats and endings, the first of several
voices. Left out because they are no notes of the tune: grace notes, decorations, chord symbols,
slurs, lyrics. Unknown signs are skipped, as the ABC standard asks.

One loop over the lines, no recursion; characters, notes, and the size of each number are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mst_core.errors import NoMelody, TooLong, UnreadableScore
from mst_core.music import Melody
from mst_core.reading.abc.bars import build_melody
from mst_core.reading.abc.fields import (
    AbcKey,
    default_unit,
    read_key,
    read_meter,
    read_tempo,
    read_unit,
)
from mst_core.reading.abc.tokens import FieldToken, Token, tokenize
from mst_core.reading.abc.tune import AbcTune, find_repeated_sections
from mst_core.reading.abc.voice import VoiceBuilder
from mst_core.reading.formats import decode_text
from mst_core.reading.parsed_score import Limits, ParsedScore

MAX_CHARACTERS = 2_000_000
MAX_NOTES = 20_000
MAX_FIELD_LENGTH = 500
"""Characters kept of a field such as the title."""
_FIELD = re.compile(r"\s{0,9}([A-Za-z]):(.*)")
_BODY_FIELDS = frozenset("IKLMmNPQRrsTUVWwZBCDFGHOS")
_BARS = ("|", ":")
_PROGRAM = re.compile(
    r"^(?:%%|I:)MIDI[ \t]+program[ \t]+(?:\d{1,2}[ \t]+)?(\d{1,3})\b", re.MULTILINE
)
ACCEPTED = "an ABC file with the lines X:, T:, M:, L:, K: and then the notes is accepted"


def read_abc_score(data: str | bytes, *, limits: Limits | None = None) -> ParsedScore:
    """Read the first tune of an ABC file, as written: bytes are UTF-8, or Latin-1 as in old files.

    Raises:
        UnreadableScore: when it is not ABC, or holds a number that no music has.
        NoMelody: when fewer than two notes sound.
        TooLong: beyond the limits.
    """
    limits = limits or Limits()
    if isinstance(data, bytes):
        if len(data) > limits.file_bytes:
            raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
        data = decode_text(data)
        if "\0" in data:
            raise UnreadableScore("the file is no text", ACCEPTED)
    texts = list(split_tunes(data, max_characters=limits.events))
    tune = _read_first_tune(texts, notes=limits.melody_notes)
    melody = build_melody(tune)
    if melody.bar_count > limits.bars:
        raise TooLong(f"{melody.bar_count} bars", f"{limits.bars} bars")
    if melody.seconds > limits.seconds:
        raise TooLong(f"{melody.seconds:.0f} seconds", f"{limits.seconds:g} seconds")
    program = _PROGRAM.search(texts[0])
    return ParsedScore(
        title=tune.title,
        melody=melody,
        program=int(program[1]) if program and int(program[1]) < 128 else None,
        warnings=tuple(_warnings(tune, melody, len(texts))),
    )


def _warnings(tune: AbcTune, melody: Melody, tunes: int) -> Iterator[str]:
    """Tell what of the file is not in the melody, or not as it is written."""
    if tunes > 1:
        yield f"the file holds {tunes} tunes; the first one was taken"
    yield from tune.warnings
    if melody.meter_changes and not tune.meter_changes:
        odd = sum(melody.meter_at(bar) != melody.meter for bar in range(melody.bar_count))
        are, own = ("bar is", "a meter of its own") if odd == 1 else ("bars are", "their own meter")
        yield f"{odd} {are} longer or shorter than {melody.meter}, with {own}"
    if len(find_repeated_sections(tune.measures)) < sum(
        measure.closes for measure in tune.measures
    ):
        yield "what is repeated more than once stands here once, without its repeat signs"


def _read_first_tune(texts: Iterable[str], *, notes: int) -> AbcTune:
    text = next(iter(texts), None)
    if text is None:
        raise UnreadableScore("no tune was found in the text", ACCEPTED)
    return read_tune(text, max_notes=notes)


def split_tunes(text: str, *, max_characters: int = MAX_CHARACTERS) -> Iterator[str]:
    """Yield the text of each tune, with the fields of the file's own header put before it.

    A tune begins at an X: line; in a text without any, the whole is one tune.

    Raises:
        TooLong: when the text has more than that many characters.
    """
    if len(text) > max_characters:
        raise TooLong(f"{len(text)} characters", f"{max_characters} characters")
    lines = text.lstrip("\ufeff").splitlines()
    starts = [number for number, line in enumerate(lines) if line.lstrip().startswith("X:")]
    if not starts:
        if text.strip():
            yield text
        return
    heading = [line for line in lines[: starts[0]] if line[:2] in ("L:", "M:", "R:", "Q:")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield "\n".join(heading + lines[start:end])


def read_tune(text: str, *, max_notes: int = MAX_NOTES) -> AbcTune:
    """Read one tune.

    Raises:
        UnreadableScore: when it has no K: line, or a number that no music has.
        NoMelody: when it has no note at all.
        TooLong: when it has more than that many notes.
    """
    heading, key, body = _split_header(text)
    if key is None:
        raise UnreadableScore("the text has no K: line, which names the key", ACCEPTED)
    meter = read_meter(heading.get("M", ["none"])[-1])
    unit = read_unit(heading["L"][-1]) if "L" in heading else default_unit(meter)
    voices = [words[0] for text in heading.get("V", ()) if (words := text.split())]
    voice = VoiceBuilder(key.signature, unit, meter, max_notes)
    parts = _VoiceSelector(voices)
    tempos = [tempo for text in heading.get("Q", ()) if (tempo := read_tempo(text, unit))]
    keys = [key.signature]
    for line in body:
        field = _body_field(line)
        signs = [FieldToken(*field)] if field else tokenize(line)
        for sign in signs:
            if isinstance(sign, FieldToken) and sign.letter == "V":
                parts.select(sign.text, empty=voice.is_empty)
            elif parts.is_melody and isinstance(sign, FieldToken) and sign.letter == "Q":
                tempos += [tempo for tempo in (read_tempo(sign.text, voice.unit),) if tempo]
            elif parts.is_melody:
                _apply(voice, sign)
                keys += [voice.signature] * (voice.signature != keys[-1])
    measures = voice.finish()
    if not any(note.pitch is not None for measure in measures for note in measure.notes):
        raise NoMelody(f"the ABC tune {heading.get('X', ['it holds'])[0][:20]}")
    return AbcTune(
        reference_number=heading.get("X", [""])[0],
        title=heading.get("T", [""])[0],
        rhythm=heading["R"][0] if "R" in heading else None,
        meter=meter,
        key=key.key,
        key_name=key.name,
        tempo=tempos[0] if tempos else None,
        measures=measures,
        declared_voices=len(set(voices)),
        warnings=tuple(
            remark
            for remark, holds in (
                (
                    f"it is written for {len(parts.names)} voices; the first one was taken",
                    len(parts.names) > 1,
                ),
                ("of chords the top note was taken", voice.has_chords),
                ("the key changes on the way; the first one is named", len(keys) > 1),
                ("the tempo changes on the way; the first one is kept", len(set(tempos)) > 1),
            )
            if holds
        ),
    )


class _VoiceSelector:
    """Which voice the music belongs to; the first one is the tune."""

    def __init__(self, declared: list[str]) -> None:
        self.is_melody = True
        self.names = set(declared)
        self._declared = declared
        self._melody_voice: str | None = None

    def select(self, text: str, *, empty: bool) -> None:
        """Turn to the voice that a V: field names; ``empty`` where no music came before."""
        name = (text.split() or ["1"])[0]
        if self._melody_voice is None:
            # Music before any V: field is the music of the first voice there is.
            self._melody_voice = name if empty else (self._declared or ["1"])[0]
        self.names |= {self._melody_voice, name}
        self.is_melody = name == self._melody_voice


def _split_header(text: str) -> tuple[dict[str, list[str]], AbcKey | None, list[str]]:
    """Return the fields up to the first K:, the key, and the lines of music behind it."""
    heading: dict[str, list[str]] = {}
    lines = iter(text.splitlines())
    for line in lines:
        field = _FIELD.match(line)
        if not field:
            continue
        letter, value = field[1], _without_comment(field[2])
        heading.setdefault(letter, []).append(value[:MAX_FIELD_LENGTH])
        if letter == "K":
            key = read_key(value)
            body: list[str] = []
            for music in lines:
                if not music.strip():
                    if body:
                        break
                elif not music.startswith("+:"):  # goes on with the words of the line before
                    body.append(_without_comment(music))
            return heading, key or read_key(""), body
    return heading, None, []


def _without_comment(line: str) -> str:
    return line.split("%", 1)[0].strip()


def _body_field(line: str) -> tuple[str, str] | None:
    """Return letter and text where the line is a field; ``G:|`` is music."""
    match = _FIELD.match(line)
    if match and match[1] in _BODY_FIELDS and match[2].lstrip()[:1] not in _BARS:
        return match[1], match[2].strip()
    return None


def _apply(voice: VoiceBuilder, sign: Token) -> None:
    """Write a sign, or let a field change what is valid from here on."""
    if not isinstance(sign, FieldToken):
        voice.add(sign)
    elif sign.letter == "K":
        key = read_key(sign.text)
        voice.signature = key.signature if key else voice.signature
    elif sign.letter == "M":
        voice.meter = read_meter(sign.text)
    elif sign.letter == "L":
        voice.unit = read_unit(sign.text)
