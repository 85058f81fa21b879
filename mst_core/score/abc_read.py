"""ABC music to tunes, exactly: every time is a Fraction, nothing is rounded.

Read: notes, rests, chords (their top note), ties, broken rhythm, tuplets, accidentals through the
bar, keys with modes, changes of key, meter and unit, repeats and endings, the first of several
voices. Left out because they are no notes of the tune: grace notes, decorations, chord symbols,
slurs, lyrics. Unknown signs are skipped, as the ABC standard asks.

One loop over the lines, no recursion; characters, notes, and the size of each number are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mst_core.errors import NoMelody, TooLong, UnreadableScore
from mst_core.music import Melody
from mst_core.score.abc_bars import lay_bars
from mst_core.score.abc_fields import (
    AbcKey,
    default_unit,
    read_key,
    read_meter,
    read_tempo,
    read_unit,
)
from mst_core.score.abc_tokens import FieldSign, Sign, read_signs
from mst_core.score.abc_tune import AbcTune
from mst_core.score.abc_voice import Voice

MOST_CHARACTERS = 2_000_000
MOST_NOTES = 20_000
LONGEST_FIELD = 500
"""Characters kept of a field such as the title."""
_FIELD = re.compile(r"\s{0,9}([A-Za-z]):(.*)")
_BODY_FIELDS = frozenset("IKLMmNPQRrsTUVWwZBCDFGHOS")
_BARS = ("|", ":")
ACCEPTED = "an ABC file with the lines X:, T:, M:, L:, K: and then the notes is accepted"


def read_abc(
    text: str,
    *,
    expand_repeats: bool = False,
    characters: int = MOST_CHARACTERS,
    notes: int = MOST_NOTES,
) -> Melody:
    """Read the first tune of an ABC file as a melody.

    Every note of the page stands once, the endings of a strain one behind the other; where
    ``expand_repeats``, repeats are played instead. Every barline of the file is a barline of the
    melody: a measure too short for the meter is filled with silence.

    Raises:
        UnreadableScore: when the text is not ABC, holds a number that no music has, or changes
            its meter.
        NoMelody: when fewer than two notes sound.
        TooLong: beyond the limits.
    """
    tune = next(split_tunes(text, characters=characters), None)
    if tune is None:
        raise UnreadableScore("no tune was found in the text", ACCEPTED)
    return lay_bars(read_tune(tune, notes=notes), expand=expand_repeats, notes=notes)


def read_tunes(
    text: str, *, characters: int = MOST_CHARACTERS, notes: int = MOST_NOTES
) -> list[AbcTune]:
    """Read every tune of an ABC file; errors as in `read_tune`."""
    return [read_tune(tune, notes=notes) for tune in split_tunes(text, characters=characters)]


def split_tunes(text: str, *, characters: int = MOST_CHARACTERS) -> Iterator[str]:
    """Yield the text of each tune, with the fields of the file's own header put before it.

    A tune begins at an X: line; in a text without any, the whole is one tune.

    Raises:
        TooLong: when the text has more than that many characters.
    """
    if len(text) > characters:
        raise TooLong(f"{len(text)} characters", f"{characters} characters")
    lines = text.lstrip("\ufeff").splitlines()
    starts = [number for number, line in enumerate(lines) if line.lstrip().startswith("X:")]
    if not starts:
        if text.strip():
            yield text
        return
    heading = [line for line in lines[: starts[0]] if line[:2] in ("L:", "M:", "R:", "Q:")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield "\n".join(heading + lines[start:end])


def read_tune(text: str, *, notes: int = MOST_NOTES) -> AbcTune:
    """Read one tune.

    Raises:
        UnreadableScore: when it has no K: line, or a number that no music has.
        NoMelody: when it has no note at all.
        TooLong: when it has more than that many notes.
    """
    heading, key, body = _split_heading(text)
    if key is None:
        raise UnreadableScore("the text has no K: line, which names the key", ACCEPTED)
    meter = read_meter(heading.get("M", ["none"])[-1])
    unit = read_unit(heading["L"][-1]) if "L" in heading else default_unit(meter)
    voices = [words[0] for text in heading.get("V", ()) if (words := text.split())]
    voice = Voice(key.signature, unit, meter, notes)
    parts = _Parts(voices)
    for line in body:
        field = _body_field(line)
        signs = [FieldSign(*field)] if field else read_signs(line)
        for sign in signs:
            if isinstance(sign, FieldSign) and sign.letter == "V":
                parts.turn_to(sign.text, empty=voice.empty)
            elif parts.first:
                _take(voice, sign)
    measures = voice.finish()
    if not any(note.pitch is not None for measure in measures for note in measure.notes):
        raise NoMelody(f"the ABC tune {heading.get('X', ['it holds'])[0][:20]}")
    return AbcTune(
        number=heading.get("X", [""])[0],
        title=heading.get("T", [""])[0],
        rhythm=heading["R"][0] if "R" in heading else None,
        meter=meter,
        key=key.key,
        key_name=key.name,
        tempo=read_tempo(heading.get("Q", [""])[0], unit),
        measures=measures,
        declared_voices=len(set(voices)),
    )


class _Parts:
    """Which voice the music belongs to; the first one is the tune."""

    def __init__(self, declared: list[str]) -> None:
        self.first = True
        self._declared = declared
        self._tune: str | None = None

    def turn_to(self, text: str, *, empty: bool) -> None:
        """Turn to the voice that a V: field names; ``empty`` where no music came before."""
        name = (text.split() or ["1"])[0]
        if self._tune is None:
            # Music before any V: field is the music of the first voice there is.
            self._tune = name if empty else (self._declared or ["1"])[0]
        self.first = name == self._tune


def _split_heading(text: str) -> tuple[dict[str, list[str]], AbcKey | None, list[str]]:
    """Return the fields up to the first K:, the key, and the lines of music behind it."""
    heading: dict[str, list[str]] = {}
    lines = iter(text.splitlines())
    for line in lines:
        field = _FIELD.match(line)
        if not field:
            continue
        letter, value = field[1], _without_comment(field[2])
        heading.setdefault(letter, []).append(value[:LONGEST_FIELD])
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


def _take(voice: Voice, sign: Sign) -> None:
    """Write a sign, or let a field change what is valid from here on."""
    if not isinstance(sign, FieldSign):
        voice.take(sign)
    elif sign.letter == "K":
        key = read_key(sign.text)
        voice.signature = key.signature if key else voice.signature
    elif sign.letter == "M":
        voice.meter = read_meter(sign.text)
    elif sign.letter == "L":
        voice.unit = read_unit(sign.text)
