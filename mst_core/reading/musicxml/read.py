"""Reads MusicXML, score-partwise and score-timewise, into a melody and its accompanying parts.

Times are exact, every note stands once as it is written, and pitches are those that sound. No other
file is loaded. Jumps (D.C., D.S., coda) are named in a warning and not played.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from statistics import median

from mst_core.errors import NoMelody, TooLong, UnreadableScore
from mst_core.music import TICKS_PER_QUARTER, Melody, Meter, Note, Part
from mst_core.reading.bars import lay_out_bars
from mst_core.reading.grid import describe_moved, fit_to_grid, nearest_place
from mst_core.reading.key_finding import describe_settled_key, find_key, settle_keys
from mst_core.reading.measures import BarLayout, WrittenMeasure
from mst_core.reading.musicxml.encoding import decode_xml
from mst_core.reading.musicxml.marks import (
    main_tempo,
    place_chords,
    place_controls,
    place_keys,
    place_tempos,
)
from mst_core.reading.musicxml.measure_repeats import fill_repeated_measures
from mst_core.reading.musicxml.melody_line import MelodyLine, extract_melody, extract_notes
from mst_core.reading.musicxml.melody_part import choose_part
from mst_core.reading.musicxml.part import DEFAULT_VELOCITY, XmlMeasure, XmlPart
from mst_core.reading.musicxml.part_reader import find_divisions, read_part
from mst_core.reading.musicxml.tree import ACCEPTED, XmlElement, parse_xml
from mst_core.reading.parsed_score import Limits, ParsedScore
from mst_core.reading.written_meters import ROUNDING

SCORE_ROOTS = ("score-partwise", "score-timewise")
"""Names of the root element of a score; some programs put another one around it."""
DEFAULT_TEMPO = 120.0
"""Quarter notes per minute of a file without a tempo."""
_MAX_NAME = 200  # characters of a title or part name


def read_musicxml(
    data: bytes, *, track: int | None = None, limits: Limits = Limits()
) -> ParsedScore:
    """Read an uncompressed MusicXML file.

    Args:
        data: The file.
        track: Number of the part with the melody, counted from 1; None to choose one.
        limits: Sizes above which a file is rejected.

    Returns:
        The melody with title, tempo changes, accompanying parts and warnings.

    Raises:
        UnreadableScore: when the bytes are not MusicXML, break off, declare entities, or hold a
            number that is out of range.
        NoMelody: when there are fewer than two pitched notes.
        TooLong: when it exceeds the limits.
        BadOption: when there is no part ``track``.
    """
    if len(data) > limits.file_bytes:
        raise TooLong(f"{len(data)} bytes", f"{limits.file_bytes} bytes")
    document, repairs = decode_xml(data)
    root = parse_xml(document, max_elements=limits.events)
    return read_document(root, track=track, limits=limits, repairs=repairs)


def read_document(
    root: XmlElement, *, track: int | None, limits: Limits, repairs: Sequence[str] = ()
) -> ParsedScore:
    """Read a MusicXML document from its tree.

    Args:
        root: The root element.
        track: Number of the part with the melody, counted from 1; None to choose one.
        limits: Sizes above which a file is rejected.
        repairs: Sentences about what was mended in the text of the file.

    Returns:
        As `read_musicxml`.

    Raises:
        UnreadableScore, NoMelody, TooLong, BadOption: as `read_musicxml`.
    """
    root = next((each for each in root.children if each.name in SCORE_ROOTS), root)
    parts = _read_parts(root, limits)
    melody_index, candidates, choice = choose_part(parts, track)
    part = parts[melody_index]
    layout = lay_out_bars(_written_measures(parts, part), max_bars=limits.bars)
    line = extract_melody(part, layout)
    if len(line.notes) < 2:
        raise NoMelody("this MusicXML file")
    if len(line.notes) > limits.melody_notes:
        raise TooLong(f"{len(line.notes)} notes in the melody", f"{limits.melody_notes} notes")
    end = layout.barlines[-1]
    notes = fit_to_grid(_end_at(line.notes, end), layout.barlines)
    tempos = place_tempos(parts, layout)
    melody = layout.melody(
        notes,
        key=part.key or find_key(notes),
        tempo=main_tempo(tempos, notes[0].onset, end) if tempos else _tempo_by_word(parts)[1],
    )
    melody = replace(
        melody,
        tempo_changes=tempos if len(tempos) > 1 else (),
        key_changes=place_keys(part, layout),
        chords=place_chords(parts, part, layout),
        grace_notes=line.grace_notes,
    )
    if melody.seconds > limits.seconds:
        raise TooLong(f"{melody.seconds:.0f} seconds", f"{limits.seconds:.0f} seconds")
    accompanying = tuple(_accompanying_parts(parts, melody_index, line, layout))
    key_remarks: tuple[str, ...] = ()
    if part.key:
        beside = [note for each in accompanying if not each.drums for note in each.notes]
        melody = settle_keys(melody, beside, mode_stated=part.counts["modes"] > 0)
        if melody.key.fifths != part.key.fifths:
            key_remarks = tuple(describe_settled_key(part.key, melody.key))
    moved = describe_moved(line.notes, notes)
    return ParsedScore(
        title=_title(root),
        melody=melody,
        parts=accompanying,
        program=part.program,
        controls=tuple(place_controls(part, layout)),
        velocity=_velocity(line),
        swing=next((each.swing for each in (part, *parts) if each.swing), None),
        candidates=candidates,
        track=melody_index + 1,
        warnings=(
            *choice,
            *key_remarks,
            *_warnings(parts, part, line, melody),
            *layout.warnings,
            *([moved] if moved else []),
            *repairs,
        ),
    )


def _end_at(notes: Sequence[Note], end: Fraction) -> list[Note]:
    """The notes up to the last barline; one that a rounding takes beyond it ends there."""
    shortest = Fraction(1, TICKS_PER_QUARTER)
    return [
        replace(note, duration=min(note.duration, max(shortest, end - note.onset)))
        for note in notes
    ]


def _tempo_by_word(parts: Sequence[XmlPart]) -> tuple[str, float]:
    """The first word of the score that names a tempo, empty where none does, and the tempo."""
    return next((part.tempo_word for part in parts if part.tempo_word), ("", DEFAULT_TEMPO))


def _velocity(line: MelodyLine) -> int | None:
    """Median velocity of the melody; None where the file has no dynamics."""
    if all(velocity == DEFAULT_VELOCITY for velocity in line.velocities):
        return None
    return round(median(line.velocities))


def _warnings(
    parts: Sequence[XmlPart], part: XmlPart, line: MelodyLine, melody: Melody
) -> Iterator[str]:
    """Name what was left out, changed or assumed, the most important first."""
    counts = part.counts
    if line.voice_count > 1:
        yield f"The part has {line.voice_count} voices; the first one is the melody."
    if line.followed_count:
        bars = "1 bar" if line.followed_count == 1 else f"{line.followed_count} bars"
        yield f"In {bars} where it is silent, the melody goes on in another voice."
    if counts["transposed"]:
        yield "The part is for a transposing instrument; it was read as it sounds."
    if any(each.counts["jump"] for each in parts):
        yield "The file has jumps (D.C., D.S., coda); they are not played."
    if part.key is None:
        yield f"The file names no key; its notes suggest {melody.key.name}."
    if counts["meters"]:
        yield "A meter that no music has was ignored; the lengths of the measures were kept."
    elif all(measure.meter is None for measure in part.measures):
        yield f"The file names no meter; its measures suggest {melody.meter}."
    if not any(measure.tempos for each in parts for measure in each.measures):
        word, _ = _tempo_by_word(parts)
        named = f"The file says {word}" if word else "The file names no tempo"
        yield f"{named}; {melody.tempo:.0f} quarter notes a minute are assumed."
    repeated = sum(each.counts["repeated"] for each in parts)
    if repeated:
        bars = "1 bar shows" if repeated == 1 else f"{repeated} bars show"
        again = "the bar before it sounds" if repeated == 1 else "the bars before them sound"
        yield f"{bars} only a repeat sign; {again} again there."
    if counts["slashes"]:
        yield "Beats that are written as slashes are silent."
    graces = counts["grace"] - sum(len(each.pitches) for each in melody.grace_notes)
    for count, one, many in (
        (line.chord_count, "chord gave its top note", "chords gave their top notes"),
        (line.shortened_count, "note that sounds on was ended", "notes that sound on were ended"),
        (graces, "grace note was left out", "grace notes were left out"),
        (counts["cue"], "cue note was left out", "cue notes were left out"),
        (counts["tab"], "note of a tablature was left out", "notes of a tablature were left out"),
        (counts["hidden"], "hidden note was left out", "hidden notes were left out"),
        (counts["rounded"], "pitch was rounded to a semitone", "pitches were rounded to semitones"),
    ):
        if count:
            yield f"{count} {one if count == 1 else many}."


def _read_parts(root: XmlElement, limits: Limits) -> list[XmlPart]:
    """Read every part of the document, at least one of them with a measure.

    Raises:
        UnreadableScore: when it is no score.
        NoMelody: when no part has a measure.
        TooLong: for too many parts, measures or notes.
    """
    if root.name not in SCORE_ROOTS:
        raise UnreadableScore(f"the XML is no score: it begins with <{root.name[:30]}>", ACCEPTED)
    part_list = root.find("part-list") or XmlElement("", {})
    entries = {entry.attributes.get("id", ""): entry for entry in part_list.find_all("score-part")}
    written = _partwise(root) if root.name == "score-partwise" else _timewise(root, limits)
    if len(written) > limits.tracks:
        raise TooLong(f"{len(written)} parts", f"{limits.tracks} parts")
    parts: list[XmlPart] = []
    notes_left = limits.notes
    divisions = find_divisions(measure for _, measures in written for measure in measures)
    for part_id, measures in written:
        if len(measures) > 2 * limits.bars:
            raise TooLong(f"{len(measures)} measures", f"{limits.bars} bars")
        part = read_part(entries.get(part_id), measures, find_divisions(measures) or divisions)
        part = fill_repeated_measures(part, max_notes=notes_left)
        notes_left -= part.note_count
        if notes_left < 0:
            raise TooLong(f"more than {limits.notes} notes", f"{limits.notes} notes")
        parts.append(part)
    if not any(part.measures for part in parts):
        raise NoMelody("this MusicXML file, which has no measure")
    return parts


def _partwise(root: XmlElement) -> list[tuple[str, list[XmlElement]]]:
    """The id and measures of each part of a score-partwise document."""
    return [
        (part.attributes.get("id", ""), list(part.find_all("measure")))
        for part in root.find_all("part")
    ]


def _timewise(root: XmlElement, limits: Limits) -> list[tuple[str, list[XmlElement]]]:
    """The id and measures of each part of a score-timewise document; missing ones are empty."""
    measures = list(root.find_all("measure"))
    ids = dict.fromkeys(
        part.attributes.get("id", "") for measure in measures for part in measure.find_all("part")
    )
    if len(ids) > limits.tracks or len(measures) > 2 * limits.bars:
        raise TooLong(
            f"{len(ids)} parts of {len(measures)} measures",
            f"{limits.tracks} parts and {limits.bars} bars",
        )
    written: dict[str, list[XmlElement]] = {part_id: [] for part_id in ids}
    for measure in measures:
        present = {part.attributes.get("id", ""): part for part in measure.find_all("part")}
        for part_id, part_measures in written.items():
            part_measure = XmlElement("measure", measure.attributes)
            part_measure.children = present[part_id].children if part_id in present else []
            part_measures.append(part_measure)
    return list(written.items())


def _written_measures(parts: Sequence[XmlPart], melody_part: XmlPart) -> list[WrittenMeasure]:
    """The measures of the whole score, with the meters of its melody part."""
    measures: list[WrittenMeasure] = []
    for number in range(max(len(part.measures) for part in parts)):
        here = [part.measures[number] for part in parts if number < len(part.measures)]
        lead = melody_part.measures[number] if number < len(melody_part.measures) else here[0]
        onsets = [note.onset for each in here for note in each.notes]
        meter = lead.meter or here[0].meter
        barlines = [each.barlines for each in here]
        implicit = any(each.implicit for each in here)
        length = _measure_length(lead, here, meter)
        short = meter is not None and length < meter.bar_length
        rests_first = all(note.onset > 0 for note in lead.notes)
        measures.append(
            WrittenMeasure(
                length=length,
                meter=meter,
                last_onset=max(onsets, default=Fraction(0)),
                sounding=max(each.sounding_length for each in here),
                opens_repeat=any(each.opens_repeat for each in barlines),
                closes_repeat=any(each.closes_repeat for each in barlines),
                play_count=max(each.play_count for each in barlines),
                double_before=any(each.double_before for each in barlines),
                double_after=any(each.double_after for each in barlines),
                ending=max((each.ending for each in barlines), key=len),
                ending_stops=any(each.ending_stops for each in barlines),
                opens_section=any(each.opens_section for each in here),
                continues_bar=implicit,
                is_pickup=implicit and number == 0 and (short or rests_first),
            )
        )
    return measures


def _measure_length(
    lead: XmlMeasure, measures: Sequence[XmlMeasure], meter: Meter | None
) -> Fraction:
    """Length in quarter notes of a measure whose parts may differ in length, on the grid.

    A part that stops before the bar is over, or rests beyond it, is a mistake of its writer, and so
    is a note that a rounding takes beyond it.
    """
    if any(measure.implicit for measure in measures):
        # Parts that are silent in a pickup often have a rest of a whole bar there.
        measures = [measure for measure in measures if measure.notes] or measures
        lead = lead if lead.notes else max(measures, key=lambda each: each.length)
    longest = max(measure.length for measure in measures)
    if meter is None:
        length = lead.length or longest
    else:
        bar_length = meter.bar_length
        full = bar_length - ROUNDING <= lead.length
        sounds_beyond = lead.sounding_length > bar_length + ROUNDING
        other_full = any(abs(measure.length - bar_length) <= ROUNDING for measure in measures)
        only_rests_beyond = longest > bar_length and all(
            measure.sounding_length <= bar_length + ROUNDING for measure in measures
        )
        if full and sounds_beyond:
            length = lead.length
        elif full or other_full or only_rests_beyond:
            length = bar_length
        else:
            length = longest
    return max(nearest_place(length), Fraction(1, TICKS_PER_QUARTER)) if length else length


def _accompanying_parts(
    parts: Sequence[XmlPart], melody_index: int, line: MelodyLine, layout: BarLayout
) -> Iterator[Part]:
    """Every part that has notes besides the melody."""
    for index, part in enumerate(parts):
        melody = index == melody_index
        notes = line.other_notes if melody else extract_notes(part, layout)
        if notes:
            name = part.name[:_MAX_NAME] or f"Part {index + 1}"
            controls = tuple(place_controls(part, layout))
            yield Part(name, part.program or 0, part.drums, notes, controls)


def _title(root: XmlElement) -> str:
    """The title of the work, else of the movement, else the one on the first page, else empty."""
    title = root.find_text("work", "work-title") or root.find_text("movement-title")
    return (title or _printed_title(root))[:_MAX_NAME]


def _printed_title(root: XmlElement) -> str:
    """The words on the first page that are marked as the title, else the largest in its middle."""
    words: list[tuple[float, str]] = []
    for credit in root.find_all("credit"):
        text = credit.find_text("credit-words")
        if credit.find_text("credit-type") == "title" and text:
            return text
        shown = credit.find("credit-words")
        size = shown.attributes.get("font-size", "") if shown else ""
        middle = shown is not None and "center" in (
            shown.attributes.get("justify"),
            shown.attributes.get("halign"),
        )
        plain = re.fullmatch(r"\d{1,3}(\.\d{1,9})?", size, re.ASCII)
        if text and middle and plain and credit.attributes.get("page", "1") == "1":
            words.append((float(size), text))
    return max(words, key=lambda each: each[0], default=(0.0, ""))[1]
