"""A melody as MEI, the XML that the score picture is engraved from.

It says everything itself - beams, triplets, ties, shown accidentals, line breaks - so that the
engraver decides nothing but distances.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from mst_core.music import Melody, Meter
from mst_core.notation.layout import LOWEST_TREBLE_PITCH, WrittenBar
from mst_core.notation.note_values import WrittenNote
from mst_core.notation.spelling import AccidentalTracker

_NAMESPACE = "http://www.music-encoding.org/ns/mei"
_BARLINES = {"single": "single", "double": "dbl", "final": "end"}
_ACCIDENTALS = {-2: "ff", -1: "f", 0: "n", 1: "s", 2: "x"}


@dataclass(frozen=True, slots=True)
class MeiStaff:
    """One line of music under others, and how it looks."""

    melody: Melody
    bars: Sequence[WrittenBar]
    """As many as the other staves have; one without pieces stays bare."""
    highlighted: Collection[int] = ()
    """The notes in colour, by their place in the melody."""
    highlight_color: str = ""
    scale: int = 100
    """Per cent."""
    name: str = ""
    """Its bars are ``<name>-0``, ``<name>-1``... in the picture, where it has a name."""


def write_mei(
    melody: Melody, bars: Sequence[WrittenBar], *, line_starts: Collection[int] = ()
) -> str:
    """Write a melody laid out in ``bars``; ``breaks`` has the places of those that open a line."""
    return write_mei_staves([MeiStaff(melody, bars)], breaks=line_starts)


def write_mei_staves(
    staves: Sequence[MeiStaff], *, breaks: Collection[int] = (), marks: Mapping[int, str] = {}
) -> str:
    """Write staves under each other, bar under bar; the first one's bars have the signs.

    ``marks`` has a word for some bars, by their place; the engraver gives it room above the bar.
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
    for number, stave in enumerate(staves, start=1):
        SubElement(
            group,
            "staffDef",
            {"n": str(number), "lines": "5", **_staff_attributes(stave, len(staves))},
        )

    section = SubElement(score, "section")
    writers = [_StaffWriter(number, stave) for number, stave in enumerate(staves, start=1)]
    ending = section
    for place, bar in enumerate(bars):
        if place in breaks:  # before an ending, or the engraver has it begin on the line above
            SubElement(ending if bar.ending and not bar.starts_ending else section, "sb")
        if bar.starts_ending:
            ending = SubElement(section, "ending", n=str(bar.ending))
        parent = ending if bar.ending else section
        _write_meter_changes(parent, [stave.bars[place] for stave in staves])
        measure = SubElement(parent, "measure", right=_BARLINES[bar.right_barline])
        # Two repeats that meet within a line share one sign.
        meets = place + 1 < len(bars) and place + 1 not in breaks and bars[place + 1].starts_repeat
        met = place > 0 and place not in breaks and bars[place - 1].ends_repeat
        if bar.ends_repeat:
            measure.set("right", "rptboth" if meets else "rptend")
        if bar.starts_repeat and not met:
            measure.set("left", "rptstart")
        if not bar.is_complete:
            measure.set("metcon", "false")
        for writer in writers:
            writer.write(measure, place)
        if place in marks:
            mark = {"staff": "1", "place": "above", "tstamp": "1"}
            mark["xml:id"] = f"{marks[place]}-{place}"
            SubElement(measure, "dir", mark).text = marks[place]
    return tostring(mei, encoding="unicode")


class _StaffWriter:
    """Writes one stave, measure by measure."""

    def __init__(self, number: int, stave: MeiStaff) -> None:
        self._number = number
        self._stave = stave
        self._accidentals = AccidentalTracker(stave.melody.key)
        self._notes = 0

    def write(self, measure: Element, place: int) -> None:
        """Write its bar of this place into a measure."""
        staff = SubElement(measure, "staff", n=str(self._number))
        if self._stave.name:
            staff.set("xml:id", f"{self._stave.name}-{place}")
        layer = SubElement(staff, "layer", n="1")
        bar = self._stave.bars[place]
        self._accidentals.start_bar()
        if bar.is_empty:
            SubElement(layer, "mRest" if bar.notes else "mSpace")
            return
        for piece, element in _nest_notes(layer, bar.notes):
            if piece.spelling is not None:
                # A note tied over the barline needs no second accidental: the tie carries it.
                shown = not piece.tied_to_previous and self._accidentals.must_show(piece.spelling)
                element.set("pname", piece.spelling.letter.lower())
                element.set("oct", str(piece.spelling.octave))
                sign = _ACCIDENTALS[piece.spelling.alteration]
                element.set("accid" if shown else "accid.ges", sign)
                self._notes += not piece.tied_to_previous
                if self._notes - 1 in self._stave.highlighted:
                    element.set("color", self._stave.highlight_color)
            if piece.tied_to_next or piece.tied_to_previous:
                element.set(
                    "tie", "i" if not piece.tied_to_previous else "m" if piece.tied_to_next else "t"
                )
        for kind in ("beam", "tuplet"):
            for frame in layer.iter(kind):
                if all(note.get("color") for note in frame.iter("note")):
                    frame.attrib |= (
                        {"color": self._stave.highlight_color}
                        if self._stave.highlight_color
                        else {}
                    )


def _staff_attributes(stave: MeiStaff, staves: int) -> dict[str, str]:
    melody = stave.melody
    low = melody.notes and sorted(melody.pitches)[len(melody.notes) // 2] < LOWEST_TREBLE_PITCH
    clef = {"clef.shape": "F", "clef.line": "4"} if low else {"clef.shape": "G", "clef.line": "2"}
    if staves == 1:
        return clef
    own = {**_meter_attributes(melody.meter), "keysig": _key_signature(melody.key.fifths)}
    return {**clef, **own, "scale": f"{stave.scale}%"}


def _write_meter_changes(parent: Element, bars: Sequence[WrittenBar]) -> None:
    """Write the meters that begin with these bars, which stand under each other."""
    if len(bars) == 1 and bars[0].changes_meter:
        SubElement(parent, "scoreDef", _meter_attributes(bars[0].meter))
    elif any(bar.changes_meter for bar in bars):
        group = SubElement(SubElement(parent, "scoreDef"), "staffGrp")
        for number, bar in enumerate(bars, start=1):
            if bar.changes_meter:
                SubElement(
                    group,
                    "staffDef",
                    {"n": str(number), "lines": "5", **_meter_attributes(bar.meter)},
                )


def _meter_attributes(meter: Meter) -> dict[str, str]:
    return {"meter.count": str(meter.numerator), "meter.unit": str(meter.denominator)}


def _key_signature(fifths: int) -> str:
    return f"{abs(fifths)}{'s' if fifths > 0 else 'f'}" if fifths else "0"


def _nest_notes(
    layer: Element, pieces: tuple[WrittenNote, ...]
) -> list[tuple[WrittenNote, Element]]:
    """Nest the pieces in their beams and triplets, whichever of the two reaches further outside."""
    filled: list[tuple[WrittenNote, Element]] = []

    def outer(piece: WrittenNote) -> tuple[str, int] | None:
        beamed = [other.triplet for other in pieces if other.beam == piece.beam is not None]
        same = [other.beam for other in pieces if other.triplet == piece.triplet is not None]
        if piece.beam is not None and len(set(same)) <= 1:
            return "beam", piece.beam
        if piece.triplet is not None and len(set(beamed)) <= 1:
            return "triplet", piece.triplet
        return None

    def add(parent: Element, run: list[WrittenNote]) -> None:
        for piece in run:
            attributes = {"dur": str(piece.value.denominator)}
            if piece.value.dots:
                attributes["dots"] = str(piece.value.dots)
            kind = "rest" if piece.spelling is None else "note"
            filled.append((piece, SubElement(parent, kind, attributes)))

    def triplet(parent: Element, run: list[WrittenNote]) -> Element:
        # A beam of its own shows how far a triplet goes; any other needs the bracket.
        beams = {piece.beam for piece in run}
        own = None not in beams and run == [piece for piece in pieces if piece.beam in beams]
        bracket = "false" if own else "true"
        attributes = {"num": "3", "numbase": "2", "bracket.visible": bracket}
        return SubElement(parent, "tuplet", attributes)

    for frame, run_of in groupby(pieces, key=outer):
        run = list(run_of)
        if frame is None:
            add(layer, run)
        elif frame[0] == "beam":
            beam = SubElement(layer, "beam")
            for number, inside in groupby(run, key=lambda piece: piece.triplet):
                in_run = list(inside)
                add(beam if number is None else triplet(beam, in_run), in_run)
        else:
            bracket = triplet(layer, run)
            for number, inside in groupby(run, key=lambda piece: piece.beam):
                add(bracket if number is None else SubElement(bracket, "beam"), list(inside))
    return filled
