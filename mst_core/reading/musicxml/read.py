"""MusicXML to a melody with the parts beside it: score-partwise and score-timewise.

Times are exact, notes stand as often as they are written, pitches are those that sound. Nothing is
loaded from anywhere. Jumps (D.C., D.S., coda) are remarked on, not played.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from mst_core.errors import NoMelody, TooLong, UnreadableScore
from mst_core.music import Melody, Part, Repeat
from mst_core.reading.key_finding import find_key
from mst_core.reading.musicxml.bars import XmlBarLayout, XmlScoreMeasure, lay_out_bars
from mst_core.reading.musicxml.elements import XmlBarlines
from mst_core.reading.musicxml.melody_part import (
    MelodyLine,
    PartChoice,
    choose_part,
    extract_melody,
    extract_notes,
)
from mst_core.reading.musicxml.part import XmlMeasure, XmlPart, read_part
from mst_core.reading.musicxml.tree import ACCEPTED, XmlElement, parse_xml
from mst_core.reading.parsed_score import Limits, ParsedScore

# What is worth telling of how a MusicXML file was read: plain sentences, in order of weight.

_MAX_WARNING_NAME = 80  # characters


def make_warnings(
    parts: Sequence[XmlPart], choice: PartChoice, line: MelodyLine, melody: Melody
) -> Iterator[str]:
    """Tell which part was taken and why, and what was left out, changed or assumed."""
    part = parts[choice.part_index]
    found = part.counts
    if len(parts) > 1:
        name = f", “{part.name[:_MAX_WARNING_NAME]}”" if part.name else ""
        yield f"The melody is part {choice.part_index + 1} of {len(parts)}{name}: {choice.reason}."
    if line.voice_count > 1:
        yield f"The part has {line.voice_count} voices; the first one is the melody."
    if found["transposed"]:
        yield "The part is for a transposing instrument; it was read as it sounds."
    if any(each.counts["jump"] for each in parts):
        yield "The file has jumps (D.C., D.S., coda); they are not played."
    if part.key is None:
        yield f"The file names no key; its notes suggest {melody.key.name}."
    elif found["keys"]:
        yield f"The key changes on the way; {melody.key.name} is the first."
    if all(measure.meter is None for measure in part.measures):
        yield f"The file names no meter; its measures suggest {melody.meter}."
    if not any(measure.tempos for each in parts for measure in each.measures):
        yield f"The file names no tempo; {melody.tempo:.0f} quarter notes per minute are assumed."
    for count, one, many in (
        (line.chord_count, "chord gave its top note", "chords gave their top notes"),
        (line.shortened_count, "note that sounds on was ended", "notes that sound on were ended"),
        (found["grace"], "grace note was left out", "grace notes were left out"),
        (found["cue"], "cue note was left out", "cue notes were left out"),
        (found["hidden"], "hidden note was left out", "hidden notes were left out"),
        (found["rounded"], "pitch was rounded to a semitone", "pitches were rounded to semitones"),
    ):
        if count:
            yield f"{count} {one if count == 1 else many}."


DEFAULT_TEMPO = 120.0
_MAX_NAME = 200  # characters


def read_musicxml(
    data: bytes, *, track: int | None = None, limits: Limits = Limits()
) -> ParsedScore:
    """Read an uncompressed MusicXML file. ``track`` asks for a part, counted from 1.

    Raises:
        UnreadableScore: when the bytes are not MusicXML, break off, declare entities, or hold a
            number that no music has.
        NoMelody: when fewer than two notes with a pitch sound.
        TooLong: beyond the limits.
        BadOption: when the part asked for is not there.
    """
    if len(data) > limits.file_bytes:
        raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
    return read_document(parse_xml(data, max_elements=limits.events), track=track, limits=limits)


def read_document(root: XmlElement, *, track: int | None, limits: Limits) -> ParsedScore:
    """Read a MusicXML document from its tree; errors as in `read_musicxml`."""
    parts = _read_parts(root, limits)
    choice = choose_part(parts, track)
    part = parts[choice.part_index]
    grid = lay_out_bars(_score_measures(parts, part), max_bars=limits.bars)
    line = extract_melody(part, grid.measure_onsets)
    if len(line.notes) < 2:
        raise NoMelody("this MusicXML file")
    if len(line.notes) > limits.melody_notes:
        raise TooLong(f"{len(line.notes)} notes in the melody", f"{limits.melody_notes} notes")
    tempos = _tempos(parts, grid)
    melody = Melody(
        notes=line.notes,
        meter=grid.meters[0],
        key=part.key or find_key(line.notes),
        tempo=tempos[0][1] if tempos else DEFAULT_TEMPO,
        bar_count=len(grid.meters),
        sections=grid.sections,
        meter_changes=grid.changes,
        repeats=grid.repeats,
    )
    melody = replace(melody, repeats=tuple(_from_first_note(melody)))
    if melody.seconds > limits.seconds:
        raise TooLong(f"{melody.seconds:.0f} seconds", f"{limits.seconds:.0f} seconds")
    return ParsedScore(
        title=_title(root),
        melody=melody,
        parts=tuple(_accompanying_parts(parts, choice, line, grid)),
        program=part.program,
        tempos=tempos,
        warnings=(*make_warnings(parts, choice, line, melody), *grid.warnings),
    )


def _from_first_note(melody: Melody) -> Iterator[Repeat]:
    """Let what goes back to the beginning go to the first note, not to a rest before it."""
    for repeat in melody.repeats:
        lead = repeat.lead_in if repeat.start else min(repeat.lead_in, melody.pickup)
        yield replace(repeat, lead_in=lead)


def _read_parts(root: XmlElement, limits: Limits) -> list[XmlPart]:
    """Read every part of the document.

    Raises:
        UnreadableScore: when it is no score.
        TooLong: for too many parts, measures or notes.
    """
    if root.name not in ("score-partwise", "score-timewise"):
        raise UnreadableScore(f"the XML is no score: it begins with <{root.name[:30]}>", ACCEPTED)
    headings = {
        heading.attributes.get("id", ""): heading
        for heading in (root.find("part-list") or XmlElement("", {})).find_all("score-part")
    }
    written = _partwise(root) if root.name == "score-partwise" else _timewise(root, limits)
    if len(written) > limits.tracks:
        raise TooLong(f"{len(written)} parts", f"{limits.tracks} parts")
    parts: list[XmlPart] = []
    notes_left = limits.notes
    for name, measures in written:
        if len(measures) > 2 * limits.bars:
            raise TooLong(f"{len(measures)} measures", f"{limits.bars} bars")
        part = read_part(headings.get(name), measures)
        notes_left -= part.note_count
        if notes_left < 0:
            raise TooLong(f"more than {limits.notes} notes", f"{limits.notes} notes")
        parts.append(part)
    if not any(part.measures for part in parts):
        raise NoMelody("this MusicXML file, which has no measure")
    return parts


def _partwise(root: XmlElement) -> list[tuple[str, list[XmlElement]]]:
    return [
        (part.attributes.get("id", ""), list(part.find_all("measure")))
        for part in root.find_all("part")
    ]


def _timewise(root: XmlElement, limits: Limits) -> list[tuple[str, list[XmlElement]]]:
    """Turn measures of parts into parts of measures; a part left out in one has it empty."""
    measures = list(root.find_all("measure"))
    names = dict.fromkeys(
        part.attributes.get("id", "") for measure in measures for part in measure.find_all("part")
    )
    if len(names) > limits.tracks or len(measures) > 2 * limits.bars:
        raise TooLong(
            f"{len(names)} parts of {len(measures)} measures",
            f"{limits.tracks} parts and {limits.bars} bars",
        )
    written: dict[str, list[XmlElement]] = {name: [] for name in names}
    for measure in measures:
        there = {part.attributes.get("id", ""): part for part in measure.find_all("part")}
        for name, part_measures in written.items():
            turned = XmlElement("measure", measure.attributes)
            turned.children = there[name].children if name in there else []
            part_measures.append(turned)
    return list(written.items())


def _score_measures(parts: Sequence[XmlPart], melody: XmlPart) -> list[XmlScoreMeasure]:
    """The measures of the whole score, in the meters of the melody's part."""
    count = max(len(part.measures) for part in parts)
    measures: list[XmlScoreMeasure] = []
    for number in range(count):
        here = [part.measures[number] for part in parts if number < len(part.measures)]
        lead = melody.measures[min(number, len(melody.measures) - 1)]
        signs = [each.barlines for each in here]
        measures.append(
            XmlScoreMeasure(
                length=_measure_length(lead, [each.length for each in here]),
                meter=lead.meter or here[0].meter,
                barlines=XmlBarlines(
                    opens=any(each.opens for each in signs),
                    closes=any(each.closes for each in signs),
                    play_count=max(each.play_count for each in signs),
                    double_before=any(each.double_before for each in signs),
                    double_behind=any(each.double_behind for each in signs),
                    ending=max((each.ending for each in signs), key=len),
                    ending_stops=any(each.ending_stops for each in signs),
                ),
                implicit=any(each.implicit for each in here),
                opens_section=any(each.opens_section for each in here),
                starts_with_rest=all(note.onset > 0 for note in lead.notes),
            )
        )
    return measures


def _measure_length(lead: XmlMeasure, lengths: Sequence[Fraction]) -> Fraction:
    """How long a measure is whose parts do not all say the same.

    A part that stops before the bar is over, or rests beyond it, is a slip of its writer.
    """
    if lead.meter is None or lead.length >= lead.meter.bar_length:
        return lead.length or max(lengths)
    return lead.meter.bar_length if lead.meter.bar_length in lengths else max(lengths)


def _tempos(parts: Sequence[XmlPart], grid: XmlBarLayout) -> tuple[tuple[float, float], ...]:
    """All tempos of the file by their place; of several at one place the first part's holds."""
    found: dict[Fraction, float] = {}
    for part in parts:
        for measure, start in zip(part.measures, grid.measure_onsets, strict=False):
            for place, tempo in measure.tempos:
                found.setdefault(start + place, tempo)
    tempos: list[tuple[float, float]] = []
    for place in sorted(found):
        if not tempos or tempos[-1][1] != found[place]:
            tempos.append((float(place), found[place]))
    return tuple(tempos)


def _accompanying_parts(
    parts: Sequence[XmlPart], choice: PartChoice, line: MelodyLine, grid: XmlBarLayout
) -> Iterator[Part]:
    for place, part in enumerate(parts):
        notes = (
            line.other_notes
            if place == choice.part_index
            else extract_notes(part, grid.measure_onsets)
        )
        if notes:
            name = part.name[:_MAX_NAME] or f"Part {place + 1}"
            yield Part(name, part.program or 0, part.drums, notes)


def _title(root: XmlElement) -> str:
    title = root.find_text("work", "work-title") or root.find_text("movement-title")
    return title[:_MAX_NAME]
