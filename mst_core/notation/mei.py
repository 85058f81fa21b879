"""Writes laid-out melodies as MEI, the XML format from which the score is engraved.

Beams, triplets, ties, shown accidentals and line breaks are all written, so that the engraver
computes nothing but distances.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from mst_core.music import TICKS_PER_QUARTER, Melody, Meter
from mst_core.notation.beams import needs_bracket
from mst_core.notation.layout import WrittenBar, uses_bass_clef
from mst_core.notation.note_values import NOTE_VALUES, WrittenNote
from mst_core.notation.spelling import AccidentalTracker, Spelling

_NAMESPACE = "http://www.music-encoding.org/ns/mei"
_BARLINES = {"single": "single", "double": "dbl", "final": "end", "none": "invis"}
_METRONOME_NOTES = {
    1: "\ueca2",
    2: "\ueca3",
    4: "\ueca5",
    8: "\ueca7",
    16: "\ueca9",
    32: "\uecab",
    64: "\uecad",
}
"""Symbols of note values within a text, by denominator, in verovio's music font."""
_METRONOME_DOT = "\uecb7"
_ACCIDENTALS = {-2: "ff", -1: "f", 0: "n", 1: "s", 2: "x"}


@dataclass(frozen=True, slots=True)
class MeiStaff:
    """One staff of a score, and its appearance."""

    melody: Melody
    bars: Sequence[WrittenBar]
    """As many as in the other staves; a bar without notes is left blank."""
    highlighted: Collection[int] = ()
    """Indices of the notes of the melody that are drawn in ``highlight_color``."""
    highlight_color: str = ""
    scale: int = 100
    """Size in per cent."""
    name: str = ""
    """Prefix of the XML ids of its bars, ``<name>-0``, ``<name>-1``, ...; empty for no ids."""


def write_mei(
    melody: Melody, bars: Sequence[WrittenBar], *, line_starts: Collection[int] = ()
) -> str:
    """Write a melody as MEI with one staff.

    Args:
        melody: the melody.
        bars: its laid-out bars.
        line_starts: indices of the bars that begin a line, without the first.

    Returns:
        The MEI document.
    """
    return write_mei_staves([MeiStaff(melody, bars)], line_starts=line_starts)


def write_mei_staves(
    staves: Sequence[MeiStaff],
    *,
    line_starts: Collection[int] = (),
    labels: Mapping[int, str] = {},
) -> str:
    """Write staves under each other, aligned by bar.

    Args:
        staves: the staves from top to bottom; barlines and repeat signs are those of the first.
        line_starts: indices of the bars that begin a line, without the first.
        labels: a word by the index of a bar, whose last letter is written above the bar; the word
            and the index are the XML id of the letter.

    Returns:
        The MEI document.
    """
    mei = Element("mei", xmlns=_NAMESPACE, meiversion="5.0")
    SubElement(SubElement(SubElement(mei, "meiHead"), "fileDesc"), "titleStmt")
    music = SubElement(mei, "music")
    score = SubElement(SubElement(SubElement(music, "body"), "mdiv"), "score")
    melody, bars = staves[0].melody, staves[0].bars
    definition = SubElement(score, "scoreDef")
    if len(staves) == 1:
        definition.attrib |= {
            **_meter_attributes(melody.meter),
            "keysig": _key_signature(melody.key.fifths),
        }
        group = SubElement(definition, "staffGrp")
    else:
        group = SubElement(definition, "staffGrp", {"symbol": "bracket", "bar.thru": "true"})
    for number, staff in enumerate(staves, start=1):
        attributes = {"n": str(number), "lines": "5", **_staff_attributes(staff, len(staves))}
        SubElement(group, "staffDef", attributes)

    section = SubElement(score, "section")
    measures: list[Element] = []
    ending = section
    for index, bar in enumerate(bars):
        if index in line_starts:  # before an ending, or the engraver starts it on the line above
            SubElement(ending if bar.ending and not bar.starts_ending else section, "sb")
        if bar.starts_ending:
            ending = SubElement(section, "ending", n=str(bar.ending))
        parent = ending if bar.ending else section
        _write_changes(parent, staves, index)
        measure = SubElement(parent, "measure", right=_BARLINES[bar.right_barline])
        # The end of one repeat and the start of the next share one sign within a line.
        is_next_start = (
            index + 1 < len(bars) and index + 1 not in line_starts and bars[index + 1].starts_repeat
        )
        is_after_end = index > 0 and index not in line_starts and bars[index - 1].ends_repeat
        if bar.ends_repeat:
            measure.set("right", "rptboth" if is_next_start else "rptend")
        if bar.starts_repeat and not is_after_end:
            measure.set("left", "rptstart")
        if not bar.is_complete:
            measure.set("metcon", "false")
        if bar.number > 1 and not bar.starts_after_repeat_sign and not bar.continues_bar:
            measure.set("n", str(bar.number))  # shown where a line begins
        measures.append(measure)
    if len(staves) == 1:
        shown = ""
        for measure, bar in zip(measures, bars, strict=True):
            shown = _write_words(measure, bar, shown)
    for number, staff in enumerate(staves, start=1):
        _write_staff(measures, number, staff)
    for index, text in labels.items():
        label = {"staff": "1", "place": "above", "tstamp": "1", "xml:id": f"{text}-{index}"}
        SubElement(measures[index], "dir", label).text = text[-1]
    return tostring(mei, encoding="unicode")


def _write_staff(measures: Sequence[Element], number: int, staff: MeiStaff) -> None:
    """Write the bars of a staff into their measures."""
    accidentals = AccidentalTracker(staff.melody.key)
    n_notes = 0
    for index, (measure, bar) in enumerate(zip(measures, staff.bars, strict=True)):
        part = SubElement(measure, "staff", n=str(number))
        if staff.name:
            part.set("xml:id", f"{staff.name}-{index}")
        layer = SubElement(part, "layer", n="1")
        if not bar.continues_bar:
            accidentals.start_bar(bar.key)
        if bar.silent_bars > 1:
            SubElement(layer, "multiRest", num=str(bar.silent_bars))
            continue
        if bar.is_empty:
            SubElement(layer, "mRest" if bar.notes else "mSpace")
            continue
        for note, element, graces in _nest_notes(layer, bar.notes):
            for spelling, grace in zip(note.grace, graces, strict=True):
                _set_pitch(grace, spelling, accidentals.must_show(spelling))
            if note.spelling is not None:
                # A note tied over the barline needs no second accidental.
                shown = not note.tied_to_previous and accidentals.must_show(note.spelling)
                _set_pitch(element, note.spelling, shown)
                n_notes += not note.tied_to_previous
                if n_notes - 1 in staff.highlighted:
                    element.set("color", staff.highlight_color)
            if note.tied_to_next or note.tied_to_previous:
                tie = "i" if not note.tied_to_previous else "m" if note.tied_to_next else "t"
                element.set("tie", tie)
        for tag in ("beam", "tuplet"):
            for frame in layer.iter(tag):
                if staff.highlight_color and all(note.get("color") for note in frame.iter("note")):
                    frame.set("color", staff.highlight_color)


def _set_pitch(element: Element, spelling: Spelling, shown: bool) -> None:
    """Write the pitch of a note; its accidental is shown, or only says how it sounds."""
    element.set("pname", spelling.letter.lower())
    element.set("oct", str(spelling.octave))
    element.set("accid" if shown else "accid.ges", _ACCIDENTALS[spelling.alteration])


def _staff_attributes(staff: MeiStaff, n_staves: int) -> dict[str, str]:
    """Return the clef of a staff and, in a score of several, its meter, key and scale."""
    melody = staff.melody
    shape, line = ("F", "4") if uses_bass_clef(melody) else ("G", "2")
    clef = {"clef.shape": shape, "clef.line": line}
    if n_staves == 1:
        return clef
    own = {**_meter_attributes(melody.meter), "keysig": _key_signature(melody.key.fifths)}
    return {**clef, **own, "scale": f"{staff.scale}%"}


def _write_changes(parent: Element, staves: Sequence[MeiStaff], index: int) -> None:
    """Write the meters and signatures that begin with a bar."""
    changes: list[dict[str, str]] = []
    for staff in staves:
        bar = staff.bars[index]
        key_before = staff.bars[index - 1].key if index else staff.melody.key
        change = _meter_attributes(bar.meter) if bar.changes_meter else {}
        if bar.key.fifths != key_before.fifths:
            change["keysig"] = _key_signature(bar.key.fifths)
        changes.append(change)
    if len(staves) == 1 and changes[0]:
        SubElement(parent, "scoreDef", changes[0])
    elif any(changes):
        group = SubElement(SubElement(parent, "scoreDef"), "staffGrp")
        for number, change in enumerate(changes, start=1):
            if change:
                SubElement(group, "staffDef", {"n": str(number), "lines": "5", **change})


def _write_words(measure: Element, bar: WrittenBar, shown: str) -> str:
    """Write the tempo mark and the chord symbols above a bar of the only staff.

    ``shown`` is the last mark before: one that looks the same, as of 33.0 and 33.3, is left out.
    Returns the last mark.
    """
    above = {"staff": "1", "place": "above"}
    start = bar.notes[0].onset if bar.notes else Fraction(0)

    def place(onset: Fraction) -> dict[str, str]:
        beats = float(onset - start) * bar.meter.denominator / 4 + 1
        return {**above, "tstamp": f"{beats:.4f}"}

    for onset, tempo in bar.tempos[:1]:  # several in a bar, as in a ritardando, would collide
        text = tempo_text(tempo, bar.meter)
        if text != shown:
            SubElement(measure, "tempo", place(onset)).text = text
        shown = text
    for onset, text in bar.chords:
        SubElement(measure, "harm", place(onset)).text = _chord_text(text)
    return shown


def tempo_text(tempo: float, meter: Meter) -> str:
    """Return a tempo as a note of the length of a beat, ``=`` and beats a minute.

    Args:
        tempo: quarter notes a minute.
        meter: the meter, whose beat is counted.

    Returns:
        The text; the note is a symbol of the music font.
    """
    ticks = meter.beat_length * TICKS_PER_QUARTER
    denominator, dots = NOTE_VALUES.get(ticks, (4, 0))
    beat = meter.beat_length if ticks in NOTE_VALUES else 1
    symbol = _METRONOME_NOTES[denominator] + _METRONOME_DOT * dots
    return f"{symbol} = {round(tempo / float(beat))}"


def _chord_text(text: str) -> str:
    """Return a chord symbol with the signs for sharp and flat, on one line."""
    text = re.sub(r"\s+", " ", text).strip().replace("#", "♯")
    return re.sub(r"(^|/)([A-G])b|b(?=\d)", lambda found: f"{found[0][:-1]}♭", text)


def _meter_attributes(meter: Meter) -> dict[str, str]:
    """Return the attributes of a meter."""
    return {"meter.count": str(meter.numerator), "meter.unit": str(meter.denominator)}


def _key_signature(fifths: int) -> str:
    """Return MEI's name of a key signature: ``2s``, ``3f`` or ``0``."""
    return f"{abs(fifths)}{'s' if fifths > 0 else 'f'}" if fifths else "0"


def _nest_notes(
    layer: Element, notes: tuple[WrittenNote, ...]
) -> list[tuple[WrittenNote, Element, list[Element]]]:
    """Write notes into their beams and triplets, the longer of the two outside.

    Returns:
        Each note with its element and those of the ornaments before it.
    """
    written: list[tuple[WrittenNote, Element, list[Element]]] = []
    triplets_of_beam: dict[int, set[int | None]] = {}
    beams_of_triplet: dict[int, set[int | None]] = {}
    for note in notes:
        if note.beam is not None:
            triplets_of_beam.setdefault(note.beam, set()).add(note.triplet)
        if note.triplet is not None:
            beams_of_triplet.setdefault(note.triplet, set()).add(note.beam)

    def outer_frame(note: WrittenNote) -> tuple[str, int] | None:
        beams = () if note.triplet is None else beams_of_triplet[note.triplet]
        triplets = () if note.beam is None else triplets_of_beam[note.beam]
        if note.beam is not None and len(beams) <= 1:
            return "beam", note.beam
        if note.triplet is not None and len(triplets) <= 1:
            return "triplet", note.triplet
        return None

    def add_notes(
        parent: Element, run: list[WrittenNote], first_graces: list[Element] | None = None
    ) -> None:
        for note in run:
            attributes = {"dur": str(note.denominator)}
            if note.dots:
                attributes["dots"] = str(note.dots)
            tag = "rest" if note.spelling is None else "note"
            graces = add_graces(parent, len(note.grace)) if first_graces is None else first_graces
            first_graces = None
            written.append((note, SubElement(parent, tag, attributes), graces))

    def add_graces(parent: Element, count: int) -> list[Element]:
        if not count:
            return []
        group = SubElement(parent, "graceGrp", {"attach": "post"})
        frame = SubElement(group, "beam") if count > 1 else group
        short = {"dur": "16" if count > 1 else "8", "grace": "unacc"}
        return [SubElement(frame, "note", short) for _ in range(count)]

    def add_triplet(parent: Element, run: list[WrittenNote]) -> Element:
        bracket = "true" if needs_bracket(run, notes) else "false"
        count, base = map(str, run[0].tuplet_ratio)
        attributes = {"num": count, "numbase": base, "bracket.visible": bracket}
        return SubElement(parent, "tuplet", attributes)

    for frame, members in groupby(notes, key=outer_frame):
        run = list(members)
        if frame is None:
            add_notes(layer, run)
        elif frame[0] == "beam":
            # Inside the beam, the engraver takes an ornament before its first note for one of its
            # notes.
            graces: list[Element] | None = add_graces(layer, len(run[0].grace))
            beam = SubElement(layer, "beam")
            for number, inner in groupby(run, key=lambda note: note.triplet):
                part = list(inner)
                parent = beam if number is None else add_triplet(beam, part)
                add_notes(parent, part, graces)
                graces = None
        else:
            triplet = add_triplet(layer, run)
            for number, inner in groupby(run, key=lambda note: note.beam):
                part = list(inner)
                graces = None if number is None else add_graces(triplet, len(part[0].grace))
                parent = triplet if number is None else SubElement(triplet, "beam")
                add_notes(parent, part, graces)
    return written
