"""Reads the text of an ABC tune into its voices, each as a tune of its own.

A field holds for the voice in which it stands; before the first V: field it holds for all. The
lines are read in one loop without recursion; notes, voices and numbers are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mst_core.errors import NoMelody, TooLong, UnreadableScore
from mst_core.music import Key
from mst_core.reading.abc.book import AbcSource, read_body_line, read_title, split_header
from mst_core.reading.abc.fields import (
    default_unit,
    names_tonic,
    read_key,
    read_meters,
    read_shifts,
    read_unit,
)
from mst_core.reading.abc.repairs import repeat_parts
from mst_core.reading.abc.tempo import describe_tempo, read_tempo
from mst_core.reading.abc.text import plain_text
from mst_core.reading.abc.tokens import FieldToken, tokenize
from mst_core.reading.abc.tune import AbcTune
from mst_core.reading.abc.voice import Propagation, VoiceBuilder

MAX_NOTES = 20_000
MAX_VOICES = 128
MAX_FIELDS_BEFORE_NOTES = 100
ACCEPTED = "an ABC file with the lines X:, T:, M:, L:, K: and then the notes is accepted"
_PROPAGATION = re.compile(r"propagate-accidentals\s+(octave|pitch|not)\b", re.IGNORECASE)
_NO_BARLINES = re.compile(r"MIDI\s+nobarlines", re.IGNORECASE)
_VERSION = re.compile(r"abc-version\s+(\d)\.(\d)")
_PROGRAM = re.compile(r"MIDI\s+program\s+(?:\d{1,2}\s+)?(\d{1,3})\b", re.IGNORECASE)
_VOICE_NAME = re.compile(r"\b(?:name|nm)\s?=\s?(?:\"([^\"]{0,200})\"|(\S{1,60}))")
_PERCUSSION = re.compile(r"(?<!\S)(?:clef\s?=\s?)?\"?perc\b")
_FIRST_VERSION_OF_PITCH = (2, 1)  # from which an accidental holds in every octave
_PART_ORDER = re.compile(r"([A-Z])(\d?)")


def read_tune(text: str, *, max_notes: int = MAX_NOTES) -> AbcTune:
    """Read the first voice of a tune, that in which its music begins.

    Args:
        text: The tune, as `split_tunes` yields it.
        max_notes: Most notes and rests of a voice.

    Returns:
        The tune as it is written, repeats and endings marked.

    Raises:
        UnreadableScore: when it is no tune, or a number or pitch is out of range.
        NoMelody: when the voice has no note.
        TooLong: when it has more than ``max_notes`` notes and rests.
    """
    source = split_header(text)
    reader = _VoicesReader(source, max_notes, MAX_VOICES)
    return reader.tune(reader.first)


def read_voices(
    text: str, *, max_notes: int = MAX_NOTES, max_voices: int = MAX_VOICES
) -> tuple[AbcTune, ...]:
    """Read all voices of a tune.

    Args:
        text: The tune, as `split_tunes` yields it.
        max_notes: Most notes and rests of a voice.
        max_voices: Most voices.

    Returns:
        Each voice that has notes, in the order in which they are declared or appear.

    Raises:
        UnreadableScore: when it is no tune, or a number or pitch is out of range.
        NoMelody: when no voice has a note.
        TooLong: when there are more voices, or more notes and rests in a voice.
    """
    reader = _VoicesReader(split_header(text), max_notes, max_voices)
    tunes = tuple(reader.tune(name) for name in reader.sounding)
    return tunes or (reader.tune(reader.first),)


class _VoicesReader:
    """Reads the lines of a tune, each into the voice that is being written."""

    def __init__(self, source: AbcSource, max_notes: int, max_voices: int) -> None:
        self._source = source
        self._max_notes, self._max_voices = max_notes, max_voices
        if source.key is None and not source.body:
            raise UnreadableScore("no music was found in the text", ACCEPTED)
        header = source.header
        key = read_key(source.key) if source.key is not None else None
        self._key_name, self._key, self._signature = key or ("Cmaj", Key(0), {})
        self._key_shifts = read_shifts(source.key or "")
        self._meters = read_meters(header.get("M", ["none"])[-1])
        self._meter = self._meters[0] if self._meters else None
        self._unit = read_unit(header["L"][-1]) if "L" in header else None
        self._shifts: dict[str, int] = {}
        self._own_shifts: dict[str, dict[str, int]] = {}  # of a voice
        self._names: dict[str, str] = {}
        self._programs: dict[str, int] = {}
        self._percussion: set[str] = set()
        self._propagation: Propagation = "lowered"
        self._voices: dict[str, VoiceBuilder] = {}
        self._without_barlines = not any("|" in line for line in source.body)
        self._prelude: list[FieldToken] = []  # after the header, before any voice or note
        for text in header.get("I", ()):
            self._instruct(text)
        self.declared = [self._declare(text) for text in header.get("V", ()) if text.strip()]
        self.first = ""
        """The voice in which the music begins."""
        self._tempo, self._tempo_text = self._header_tempo()
        self._read_body()

    @property
    def sounding(self) -> list[str]:
        """The voices that have notes, those of the header first, in its order."""
        names = dict.fromkeys([*self.declared, *self._voices])
        return [
            name for name in names if name in self._voices and self._voices[name].finished_notes
        ]

    def tune(self, name: str) -> AbcTune:
        """Build the tune of a voice."""
        voice, header = self._voices[name], self._source.header
        if not voice.finished_notes:
            raise NoMelody(f"the ABC tune {header.get('X', ['it holds'])[0][:20]}")
        shift = voice.transposition
        measures, order = voice.finish(), self._part_order()
        is_in_order = len(order) == len(set(order))
        if not is_in_order:
            measures, is_in_order = repeat_parts(measures, voice.parts, order)
        tempos = sorted(
            {(place, tempo) for each in self._voices.values() for place, tempo in each.tempos}
        )
        return AbcTune(
            reference_number=header.get("X", [""])[0],
            title=read_title(header),
            rhythm=header["R"][0] if "R" in header else None,
            meter=self._meter,
            key=_transposed(self._key, shift),
            key_name=self._key_name,
            tempo=self._tempo,
            measures=measures,
            names_key=names_tonic(self._source.key or ""),
            declared_voices=len(set(self.declared)),
            tempos=tuple(tempos),
            keys=tuple((place, _transposed(key, shift)) for place, key in voice.keys),
            voice=self._names.get(name, "" if name.isdecimal() else name[:60]),
            program=self._programs.get(name, self._programs.get("")),
            transposition=shift,
            is_percussion=name in self._percussion,
            syllables=voice.syllables,
            warnings=(*self._source.warnings, *self._warnings(voice, bool(tempos), is_in_order)),
        )

    def _warnings(self, voice: VoiceBuilder, has_tempos: bool, is_in_order: bool) -> Iterator[str]:
        """Name what was assumed, and what of the text is not in the tune."""
        if self._source.key is None:
            yield "The tune has no K: line, which names the key; no sharps or flats were assumed."
        yield from describe_tempo(self._tempo_text, self._tempo, changes=has_tempos)
        if voice.has_chords:
            yield "Only the top note of each chord was kept."
        if voice.filled_pairs:
            was = (
                "1 short note was"
                if voice.filled_pairs == 1
                else f"{voice.filled_pairs} notes were"
            )
            yield f"{was} written short twice, as in A>B/, and read so that the bar is full."
        if voice.added_barlines:
            yield "A barline is missing within a line, and was added."
        if voice.added_signs:
            yield "The repeat sign between a first and a second ending is missing, and was added."
        if voice.has_overlay:
            yield "A second voice that is written into bars, after the sign &, was left out."
        if not is_in_order:
            order = self._source.header["P"][0][:40]
            yield f"The order of parts, {order}, is not played; each part stands once."

    def _part_order(self) -> list[str]:
        """The parts in the order of playing: ``A2B`` is A, A, B."""
        order = self._source.header.get("P", [""])[0].replace(".", "")
        return [name for name, times in _PART_ORDER.findall(order) for _ in range(int(times or 1))]

    def _header_tempo(self) -> tuple[float | None, str | None]:
        """The tempo of the header, and the text of its Q: field."""
        texts = self._source.header.get("Q", ())
        unit = self._unit or default_unit(self._meter)
        tempos = [tempo for text in texts if (tempo := read_tempo(text, unit))]
        return tempos[0] if tempos else None, texts[0] if texts else None

    def _declare(self, text: str) -> str:
        """Read a V: field of the header or of the music; return the name of its voice."""
        name = text.split()[0]
        title = _VOICE_NAME.search(text)
        if title:
            self._names[name] = plain_text(title[1] or title[2] or "")
        if _PERCUSSION.search(text):
            self._percussion.add(name)
        if " " in text:
            shifts = read_shifts(text)
            self._own_shifts.setdefault(name, {}).update(shifts)
            if name in self._voices:
                self._voices[name].shifts.update(shifts)
        return name

    def _voice(self, name: str) -> VoiceBuilder:
        """The voice of a name; a new one begins as the header says."""
        if name not in self._voices:
            if len(self._voices) >= self._max_voices:
                raise TooLong(f"more than {self._max_voices} voices", f"{self._max_voices} of them")
            unit = self._unit or default_unit(self._meter)
            voice = VoiceBuilder(self._signature, unit, self._meters, self._max_notes)
            voice.shifts = {**self._shifts, **self._key_shifts, **self._own_shifts.get(name, {})}
            voice.propagation = self._propagation
            voice.without_barlines = self._without_barlines
            self._voices[name] = voice
            for field in self._prelude:
                self._apply(voice, name, field)
        return self._voices[name]

    def _read_body(self) -> None:
        """Read the lines after the header."""
        # Music before any V: field belongs to the first voice that the header declares.
        unnamed = self.declared[0] if self.declared else "1"
        name = ""
        voice: VoiceBuilder | None = None
        for line in self._source.body:
            field = read_body_line(line)
            if field is None and line.startswith("%"):
                continue
            for token in [field] if field else tokenize(line):
                if isinstance(token, FieldToken) and token.letter == "V":
                    if not token.text.split() or token.text.split()[0] in ("*", "all"):
                        continue
                    name = self._declare(token.text)
                    voice = self._voice(name)
                    continue
                if voice is None and isinstance(token, FieldToken):
                    if len(self._prelude) < MAX_FIELDS_BEFORE_NOTES:
                        self._prelude.append(token)
                    continue
                if voice is None:
                    name, voice = unnamed, self._voice(unnamed)
                if isinstance(token, FieldToken):
                    self._apply(voice, name, token)
                else:
                    voice.add(token)
                    if not self.first and not voice.is_empty:
                        self.first = name
            if voice is not None and field is None:
                voice.end_line()
        self.first = self.first or name or unnamed
        self._voice(self.first)
        for each in self._voices.values():
            each.finish()

    def _apply(self, voice: VoiceBuilder, name: str, field: FieldToken) -> None:
        """Let a field of the music hold for what comes after it."""
        if field.letter == "K":
            key = read_key(field.text)
            if key and field.text:
                voice.keys.append((voice.place, key[1]))
                voice.signature = key[2]
            voice.shifts.update(read_shifts(field.text))
        elif field.letter == "M":
            voice.meters = read_meters(field.text)
        elif field.letter == "L":
            voice.unit = read_unit(field.text) or default_unit(next(iter(voice.meters), None))
        elif field.letter == "Q":
            tempo = read_tempo(field.text, voice.unit)
            voice.tempos += [(voice.place, tempo)] if tempo else []
            self._tempo_text = self._tempo_text or field.text
        elif field.letter == "P" and field.text.strip():
            voice.begin_part(field.text.strip()[:1])
        elif field.letter == "w":
            voice.syllables += sum(sign in " -*_" for sign in field.text) + bool(field.text)
        elif field.letter == "I":
            self._instruct(field.text, voice, name)

    def _instruct(self, text: str, voice: VoiceBuilder | None = None, name: str = "") -> None:
        """Follow an instruction; without a voice it holds for all."""
        propagation, version = _PROPAGATION.match(text), _VERSION.match(text)
        program = _PROGRAM.match(text)
        reach: Propagation | None = None
        if _NO_BARLINES.match(text):
            reach = "not"
        elif propagation:
            reach = _reach(propagation[1].lower())
        elif version and (int(version[1]), int(version[2])) >= _FIRST_VERSION_OF_PITCH:
            reach = "pitch"
        elif program and int(program[1]) < 128:
            self._programs.setdefault(name if voice else "", int(program[1]))
            self._programs.setdefault("", int(program[1]))
        shifts = read_shifts(text) if "transpose" in text.lower() else {}
        if voice is None:
            self._propagation = reach or self._propagation
            self._shifts.update(shifts)
        else:
            voice.propagation = reach or voice.propagation
            voice.shifts.update(shifts)


def _reach(word: str) -> Propagation:
    """How far an accidental holds, by the word of its directive."""
    return "pitch" if word == "pitch" else "not" if word == "not" else "octave"


def _transposed(key: Key, semitones: int) -> Key:
    """A key as it sounds."""
    return Key((key.tonic + semitones) % 12, key.mode) if semitones % 12 else key
