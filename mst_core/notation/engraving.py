"""Engraves MEI: verovio sets pages of SVG, which get their colours and outlined texts here.

The only module that uses verovio and resvg. All symbols and letters of a page are outlines
(`mst_core.notation.lettering`), so that it needs no font of the system. Each call has a new
engraver, which is cheap and lets any thread draw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from xml.etree.ElementTree import Element, SubElement, fromstring, register_namespace, tostring

import resvg_py
import verovio

from mst_core.notation.lettering import SVG, XLINK, fit_text, text_width, write_text

WIDTH = 1000
"""Pixels of a page."""
PAGE_HEIGHT = 1414
"""Pixels of a page at most: with the width, the shape of a sheet of A4."""
MARGIN = 24
"""Pixels around a page."""
_HEADING_HEIGHT = 46
"""Pixels of the line with the title, above the first staff."""
_TITLE_SIZE = 30
_RUNNING_SIZE = 18
"""Pixels of the title on the first page, and of the texts above later ones."""
_TEMPO_SIZE = 22
_BASELINE = MARGIN + 24
"""Pixels from the top of a page to the baseline of the heading."""
_MAX_UNITS = 60_000
"""Height of a page in the engraver's own units that it accepts at most."""
_STYLES = {
    "tempo": "bold",
    "voltaBracket": "bold",
    "mNum": "italic",
    "dir": "bold",
    "harm": "regular",
}
"""Style of the texts of a class of elements."""
_SIZES = {"regular": 0.88}
"""Size of the texts of a style beside the engraver's: chord symbols need a gap between them."""
_FIGURES = {"\uea66": "♯", "\uea64": "♭", "\uea65": "♮"}
"""Letters for the signs that the engraver puts in the place of accidentals within a text."""
_EMBEDDED_FONT = re.compile(r"<style[^>]*>\s*@font-face.*?</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a page."""

    background: str
    foreground: str
    faint: str
    """For what stands back, such as the number of the page."""


DARK = Theme("#1e1f22", "#e8e8ea", "#a9a9b2")
"""For a screen: the background is that of Discord's dark theme."""
LIGHT = Theme("#ffffff", "#000000", "#5a5a5a")
"""For paper."""


def engrave(
    mei: str,
    scale: int,
    *,
    title: str = "",
    tempo: str = "",
    note: str = "",
    theme: Theme = DARK,
    page_height: int = PAGE_HEIGHT,
) -> tuple[str, ...]:
    """Engrave MEI whose line breaks are written.

    Args:
        mei: the MEI document.
        scale: size in per cent of verovio's default.
        title: the heading of the first page, repeated in small above the others; empty for none.
        tempo: the words to the left of it, with the symbols of the music font; empty for none.
        note: a few words in small to the right of it; empty for none.
        theme: the colours.
        page_height: most pixels of a page; a lower one ends under its last line of music.

    Returns:
        One SVG document a page, 1000 pixels wide.

    Raises:
        RuntimeError: when verovio rejects the document, which is a bug.
    """
    verovio.enableLog(verovio.LOG_ERROR)
    # verovio keeps the path of its fonts only in the thread that imported it.
    engraver = verovio.toolkit(False)
    engraver.setResourcePath(str(_glyph_folder()))
    heading = {"title": title, "tempo": tempo, "note": note}
    top = MARGIN + _HEADING_HEIGHT * any(heading.values())
    engraver.setOptions(
        {
            "adjustPageHeight": True,
            "breaks": "line",
            "footer": "none",
            "header": "none",
            "minLastJustification": 0.55,
            "mnumInterval": 0,
            "pageHeight": min(_MAX_UNITS, page_height * 100 // scale),
            "pageWidth": WIDTH * 100 // scale,
            **{f"pageMargin{side}": MARGIN * 100 // scale for side in ("Left", "Right", "Bottom")},
            "pageMarginTop": top * 100 // scale,
            "scale": scale,
            "smuflTextFont": "none",
            "spacingSystem": 4,
            "xmlIdSeed": 1,
        }
    )
    if not engraver.loadData(mei):
        raise RuntimeError(f"verovio rejected the score: {engraver.getLog()}")
    count = engraver.getPageCount()
    return tuple(
        _finish_page(engraver.renderToSVG(number), heading, (number, count), theme)
        for number in range(1, count + 1)
    )


def rasterize(svg: str, *, height: int | None = None) -> bytes:
    """Rasterize an engraved page.

    Args:
        svg: a page that `engrave` returned.
        height: pixels to which a higher page is scaled down; None keeps its size.

    Returns:
        The PNG file.
    """
    own_height = int(svg.split('height="', 1)[1].split("px", 1)[0])
    limit = height if height is not None and own_height > height else None
    # Only a text without outlines needs the fonts of the system.
    return bytes(
        resvg_py.svg_to_bytes(svg_string=svg, height=limit, skip_system_fonts="<text" not in svg)
    )


def _glyph_folder() -> Traversable:
    """Return the folder of verovio's fonts."""
    return files(verovio) / "data"


def _finish_page(svg: str, heading: Mapping[str, str], page: tuple[int, int], theme: Theme) -> str:
    """Return a page with its colours, its texts as outlines, and its heading."""
    register_namespace("", SVG)
    register_namespace("xlink", XLINK)
    color = f'color="{theme.foreground}" fill="{theme.foreground}"'
    svg = _EMBEDDED_FONT.sub("", svg).replace('color="black"', color)
    root = fromstring(svg)  # noqa: S314  # the engraver's own output
    defs = root.find(f"{{{SVG}}}defs")
    if defs is None:  # a page without any symbol
        defs = SubElement(root, f"{{{SVG}}}defs")
    for group in root.iter(f"{{{SVG}}}g"):
        if "placeholder" in (group.get("class") or ""):  # an invisible mark of the engraver
            for mark in group.findall(f"{{{SVG}}}ellipse"):
                group.remove(mark)
        texts = group.findall(f"{{{SVG}}}text")
        if texts:
            style = _STYLES.get((group.get("class") or "").split(" ")[0], "regular")
            for text in texts:
                _outline_text(group, text, defs, style)
    if any(heading.values()):
        _write_heading(root, defs, heading, page, theme)
    look = {"width": "100%", "height": "100%", "style": f"fill:{theme.background};stroke:none"}
    root.insert(0, Element(f"{{{SVG}}}rect", look))
    return tostring(root, encoding="unicode")


def _outline_text(group: Element, text: Element, defs: Element, style: str) -> None:
    """Replace a text of the engraver by outlines."""
    words, size = "", 0.0
    for span in text.iter(f"{{{SVG}}}tspan"):
        piece = span.text or ""
        if len(span) or not span.get("font-size"):  # a frame around others
            continue
        words += _FIGURES.get(piece, piece)
        if span.get("font-family") != "Leipzig":  # symbols are as high as the letters beside them
            size = float(span.get("font-size", "0px").removesuffix("px"))
    place = group[:].index(text)
    group.remove(text)
    outlined = Element(f"{{{SVG}}}g", {"class": "text"})
    group.insert(place, outlined)
    size *= _SIZES.get(style, 1.0)
    width = text_width(words, size, style)
    shift = {"middle": width / 2, "end": width}.get(text.get("text-anchor", "start"), 0.0)
    origin = (float(text.get("x", 0)) - shift, float(text.get("y", 0)))
    write_text(outlined, defs, words, origin, size, style)


def _write_heading(
    root: Element, defs: Element, heading: Mapping[str, str], page: tuple[int, int], theme: Theme
) -> None:
    """Write tempo, title and note, or above later pages the title and the number of the page."""
    look = {"class": "heading", "fill": theme.foreground, "stroke": "none"}
    frame = SubElement(root, f"{{{SVG}}}g", look)
    faint = SubElement(frame, f"{{{SVG}}}g", fill=theme.faint)
    number, count = page
    is_first = number == 1
    left = heading["tempo"] if is_first else ""
    pages = f"{number} / {count}" if count > 1 else ""
    right = "   ".join(filter(None, (heading["note"] if is_first else "", pages)))
    size, style = (_TITLE_SIZE, "bold") if is_first else (_RUNNING_SIZE, "italic")
    sides = [text_width(left, _TEMPO_SIZE, "bold"), text_width(right, _RUNNING_SIZE)]
    taken = 2 * max(sides) if is_first else sides[1]
    title = fit_text(heading["title"], size, WIDTH - 2 * MARGIN - taken - 2 * _TEMPO_SIZE, style)
    x = (WIDTH - text_width(title, size, style)) / 2 if is_first else MARGIN
    write_text(frame, defs, left, (MARGIN, _BASELINE), _TEMPO_SIZE, "bold")
    write_text(frame, defs, title, (x, _BASELINE), size, style)
    write_text(faint, defs, right, (WIDTH - MARGIN - sides[1], _BASELINE), _RUNNING_SIZE)
