"""Letters as outlines: the texts of a picture become paths, so that it looks alike everywhere.

The outlines come from two fonts that matplotlib ships: STIX General, which is as wide as the Times
that the engraver reckons with, and DejaVu Sans for what it lacks. Musical symbols, which have code
points for private use (SMuFL), come from the engraver's own font. A letter that no font has, such
as a Chinese one, stays text in the fonts of whoever shows the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
_FONTS = {
    "regular": ("STIXGeneral", "DejaVuSans"),
    "italic": ("STIXGeneralItalic", "DejaVuSans-Oblique"),
    "bold": ("STIXGeneralBol", "DejaVuSans-Bold"),
}
"""The fonts of each style, the first one that has a letter is taken."""
_SYMBOLS = range(0xE000, 0xF900)
"""Code points of musical symbols."""
_SYMBOL_SIZE = 1.3
"""Size of a musical symbol relative to the letters around it."""
_SYMBOL_UNITS = 1000
_MISSING_WIDTH = 1.0
"""Width of a letter that no font has, in sizes: Chinese and Japanese letters are square."""
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Glyph:
    """The outline of a letter in one font."""

    name: str
    """Unique among all fonts; an XML id."""
    path: str
    """SVG path, in units of the font, upwards positive."""
    width: float
    """Distance to the next letter in sizes of the font."""
    scale: float
    """Sizes of the font per unit."""


def text_width(text: str, size: float, style: str = "regular") -> float:
    """Return the width of a text in the unit of its size.

    Args:
        text: one line.
        size: size of the font.
        style: ``regular``, ``italic`` or ``bold``.
    """
    return size * sum(_width(letter, style) for letter in text)


def fit_text(text: str, size: float, width: float, style: str = "regular") -> str:
    """Return a text, cut with an ellipsis where it is wider than there is room.

    Args:
        text: one line.
        size: size of the font.
        width: the room in the unit of the size.
        style: ``regular``, ``italic`` or ``bold``.
    """
    if text_width(text, size, style) <= width:
        return text
    room = width / size - _width("…", style)
    kept = 0
    for letter in text:
        room -= _width(letter, style)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…"


def write_text(
    parent: Element,
    defs: Element,
    text: str,
    place: tuple[float, float],
    size: float,
    style: str = "regular",
) -> float:
    """Write a text into an SVG element, as outlines as far as there are any.

    Args:
        parent: the element that gets the letters.
        defs: the ``defs`` of the document, which gets each outline once.
        text: one line.
        place: x and y of the left end of the baseline.
        size: size of the font.
        style: ``regular``, ``italic`` or ``bold``.

    Returns:
        The x where the text ends.
    """
    known = {each.get("id") for each in defs}
    x, y = place
    for run in _runs(text, style):
        if isinstance(run, str):
            look = {"x": _number(x), "y": _number(y), "font-size": _number(size)}
            SubElement(parent, f"{{{SVG}}}text", {**look, "font-family": "sans-serif"}).text = run
            x += _MISSING_WIDTH * size * len(run)
            continue
        if run.path:
            if run.name not in known:
                holder = SubElement(defs, f"{{{SVG}}}g", id=run.name)
                SubElement(holder, f"{{{SVG}}}path", d=run.path)
                known.add(run.name)
            scale = _number(size * run.scale, 5)
            transform = f"translate({_number(x)}, {_number(y)}) scale({scale}, -{scale})"
            reference = {f"{{{XLINK}}}href": f"#{run.name}", "transform": transform}
            SubElement(parent, f"{{{SVG}}}use", reference)
        x += run.width * size
    return x


def _runs(text: str, style: str) -> Iterator[Glyph | str]:
    """Yield the outlines of a text, and as text the runs of letters that have none."""
    missing = ""
    for letter in text:
        glyph = find_glyph(letter, style)
        if glyph is None:
            missing += letter
            continue
        if missing:
            yield missing
            missing = ""
        yield glyph
    if missing:
        yield missing


def _width(letter: str, style: str) -> float:
    """Return the width of a letter in sizes."""
    glyph = find_glyph(letter, style)
    return glyph.width if glyph else _MISSING_WIDTH


@cache
def find_glyph(letter: str, style: str) -> Glyph | None:
    """Return the outline of a letter; None when no font has it.

    Args:
        letter: one character.
        style: ``regular``, ``italic`` or ``bold``.
    """
    if ord(letter) in _SYMBOLS:
        return _find_symbol(f"{ord(letter):04X}")
    with _lock:
        for font in _FONTS[style]:
            face = _open_font(font)
            name = face.getBestCmap().get(ord(letter))
            if name is not None:
                glyphs = face.getGlyphSet()
                pen = SVGPathPen(glyphs)
                glyphs[name].draw(pen)
                units = face["head"].unitsPerEm
                width = glyphs[name].width / units
                return Glyph(f"{font}-{ord(letter):x}", pen.getCommands(), width, 1 / units)
    return None


@cache
def _open_font(name: str) -> Any:
    """Return one of matplotlib's fonts."""
    return TTFont(_package_folder("matplotlib") / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf")


def _find_symbol(code: str) -> Glyph | None:
    """Return the outline of a symbol of the engraver's font, by its code point in hexadecimal."""
    folder = _package_folder("verovio") / "data"
    try:
        outline = (folder / "Leipzig" / f"{code}.xml").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    path = re.search(r' d="([^"]+)"', outline)
    metrics = (folder / "Leipzig.xml").read_text(encoding="utf-8")
    width = re.search(rf'<g c="{code}"[^>]* h-a-x="([\d.]+)"', metrics)
    if path is None or width is None:
        return None
    scale = _SYMBOL_SIZE / _SYMBOL_UNITS
    return Glyph(f"Leipzig-{code}", path[1], float(width[1]) * scale, scale)


@cache
def _package_folder(name: str) -> Path:
    """Return the folder of a library that ships fonts, without importing the library."""
    spec = find_spec(name)
    folders = spec.submodule_search_locations if spec else None
    if not folders:  # both are dependencies of the project
        raise RuntimeError(f"{name}, whose fonts the pictures use, is not installed")
    return Path(folders[0])


def _number(value: float, digits: int = 2) -> str:
    """Return a number as SVG writes it, without zeros at its end."""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
