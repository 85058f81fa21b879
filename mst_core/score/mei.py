"""A melody as MEI, the XML that the score picture is engraved from.

It says everything itself - beams, triplets, ties, shown accidentals, line breaks - so that the
engraver decides nothing but distances.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from mst_core.music import Melody, Meter
from mst_core.score.bars import LOWEST_IN_TREBLE, Bar
from mst_core.score.signs import Piece
from mst_core.score.spelling import Accidentals

_NAMESPACE = "http://www.music-encoding.org/ns/mei"
_BARLINES = {"single": "single", "double": "dbl", "final": "end"}
_ACCIDENTALS = {-2: "ff", -1: "f", 0: "n", 1: "s", 2: "x"}


def write_mei(melody: Melody, bars: Sequence[Bar], *, breaks: Collection[int] = ()) -> str:
    """Write a melody laid out in ``bars``; ``breaks`` has the places of those that open a line."""
    mei = Element("mei", xmlns=_NAMESPACE, meiversion="5.0")
    SubElement(SubElement(SubElement(mei, "meiHead"), "fileDesc"), "titleStmt")
    music = SubElement(mei, "music")
    score = SubElement(SubElement(SubElement(music, "body"), "mdiv"), "score")
    definition = SubElement(
        score,
        "scoreDef",
        {**_meter(melody.meter), "keysig": _signature(melody.key.fifths)},
    )
    staves = SubElement(definition, "staffGrp")
    clef = {"clef.shape": "G", "clef.line": "2"}
    if melody.notes and sorted(melody.pitches)[len(melody.notes) // 2] < LOWEST_IN_TREBLE:
        clef = {"clef.shape": "F", "clef.line": "4"}
    SubElement(staves, "staffDef", {"n": "1", "lines": "5", **clef})

    section = SubElement(score, "section")
    accidentals = Accidentals(melody.key)
    ending = section
    for place, bar in enumerate(bars):
        if place in breaks:  # before an ending, or the engraver has it begin on the line above
            SubElement(ending if bar.ending and not bar.begins_ending else section, "sb")
        if bar.begins_ending:
            ending = SubElement(section, "ending", n=str(bar.ending))
        parent = ending if bar.ending else section
        if bar.changes_meter:
            SubElement(parent, "scoreDef", _meter(bar.meter))
        measure = SubElement(parent, "measure", right=_BARLINES[bar.closing])
        # Two repeats that meet within a line share one sign.
        meets = place + 1 < len(bars) and place + 1 not in breaks and bars[place + 1].opens_repeat
        met = place > 0 and place not in breaks and bars[place - 1].closes_repeat
        if bar.closes_repeat:
            measure.set("right", "rptboth" if meets else "rptend")
        if bar.opens_repeat and not met:
            measure.set("left", "rptstart")
        if not bar.whole:
            measure.set("metcon", "false")
        layer = SubElement(SubElement(measure, "staff", n="1"), "layer", n="1")
        accidentals.new_bar()
        if bar.empty:
            SubElement(layer, "mRest")
            continue
        for piece, element in _fill(layer, bar.pieces):
            if piece.spelling is not None:
                # A note tied over the barline needs no second accidental: the tie carries it.
                shown = not piece.continues and accidentals.needed(piece.spelling)
                element.set("pname", piece.spelling.letter.lower())
                element.set("oct", str(piece.spelling.octave))
                sign = _ACCIDENTALS[piece.spelling.alteration]
                element.set("accid" if shown else "accid.ges", sign)
            if piece.tied or piece.continues:
                element.set("tie", "i" if not piece.continues else "m" if piece.tied else "t")
    return tostring(mei, encoding="unicode")


def _meter(meter: Meter) -> dict[str, str]:
    return {"meter.count": str(meter.numerator), "meter.unit": str(meter.denominator)}


def _signature(fifths: int) -> str:
    return f"{abs(fifths)}{'s' if fifths > 0 else 'f'}" if fifths else "0"


def _fill(layer: Element, pieces: tuple[Piece, ...]) -> list[tuple[Piece, Element]]:
    """Nest the pieces in their beams and triplets, whichever of the two reaches further outside."""
    filled: list[tuple[Piece, Element]] = []

    def outer(piece: Piece) -> tuple[str, int] | None:
        beamed = [other.triplet for other in pieces if other.beam == piece.beam is not None]
        same = [other.beam for other in pieces if other.triplet == piece.triplet is not None]
        if piece.beam is not None and len(set(same)) <= 1:
            return "beam", piece.beam
        if piece.triplet is not None and len(set(beamed)) <= 1:
            return "triplet", piece.triplet
        return None

    def add(parent: Element, run: list[Piece]) -> None:
        for piece in run:
            attributes = {"dur": str(piece.value.kind)}
            if piece.value.dots:
                attributes["dots"] = str(piece.value.dots)
            kind = "rest" if piece.spelling is None else "note"
            filled.append((piece, SubElement(parent, kind, attributes)))

    def triplet(parent: Element, run: list[Piece]) -> Element:
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
