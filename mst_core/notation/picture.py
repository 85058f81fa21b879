"""Draws the score as a picture: MEI, engraved by verovio as SVG, rasterized by resvg as PNG.

The only module that uses verovio and resvg. The picture has no text and so needs no font of the
system: musical symbols are outlines in the SVG. Each picture gets a new engraver, which is cheap
and lets any thread draw.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import accumulate, pairwise, product

import resvg_py
import verovio

from mst_core.music import Melody
from mst_core.notation.layout import WrittenBar, break_into_lines, lay_out_bars
from mst_core.notation.mei import write_mei

BACKGROUND = "#1e1f22"
"""The background of Discord's dark theme."""
FOREGROUND = "#e8e8ea"
WIDTH = 1000
"""Pixels."""
MAX_HEIGHT = 2000
"""Pixels; a longer tune is drawn smaller."""

_MARGIN = 24  # pixels
_SCALES = (60, 52, 46)
"""Per cent of verovio's default size, in which a staff is 72 pixels high."""
_SMALL_SCALES = (40, 34, 28, 22)
"""Scales for tunes that do not fit at `_SCALES`."""
_LINE_HEIGHT = 2.35
"""Pixels per line of music and per cent of scale, with room for ledger lines."""
_CLEF_WIDTH = 100
"""Pixels at full scale of clef, key and meter."""
_DIGITS = {"1": "E881", "2": "E882"}
"""SMuFL code points of the digits of endings."""
_DIGIT_SCALE = 1.0
_ENDING_NUMBER = re.compile(
    r'<text x="(?P<x>\d+)" y="(?P<y>\d+)"[^>]*>\s*(?:<tspan[^>]*>\s*)+\(?(?P<number>[12])\)?\s*'
    r"(?:</tspan>\s*)+</text>"
)
_MAX_COMPRESSION = 1.1
"""Largest natural width of a line relative to the page: the engraver can compress that much."""


def draw_svg(melody: Melody) -> str:
    """Draw the score of a melody as SVG, 1000 pixels wide, with a background.

    Args:
        melody: the melody.

    Returns:
        The SVG document.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    bars = lay_out_bars(melody)
    scale, breaks = choose_scale_and_breaks(
        melody, bars, [estimate_width(bar) for bar in bars], _LINE_HEIGHT
    )
    return engrave(write_mei(melody, bars, line_starts=breaks), scale)


def engrave(mei: str, scale: int) -> str:
    """Engrave MEI that has no text except the numbers of endings.

    Args:
        mei: the MEI document.
        scale: size in per cent of verovio's default.

    Returns:
        The SVG document, with a background.

    Raises:
        RuntimeError: when verovio rejects the document, which is a bug.
    """
    verovio.enableLog(verovio.LOG_ERROR)
    # verovio keeps the path of its fonts only in the thread that imported it.
    engraver = verovio.toolkit(False)
    engraver.setResourcePath(str(_glyph_folder()))
    engraver.setOptions(
        {
            "adjustPageHeight": True,
            "breaks": "encoded",
            "footer": "none",
            "header": "none",
            "minLastJustification": 0.55,
            "pageHeight": 60000,
            "pageWidth": WIDTH * 100 // scale,
            **{
                f"pageMargin{side}": _MARGIN * 100 // scale
                for side in ("Left", "Right", "Top", "Bottom")
            },
            "scale": scale,
            "spacingSystem": 6,
            "xmlIdSeed": 1,
        }
    )
    if not engraver.loadData(mei):
        raise RuntimeError(f"verovio rejected the score: {engraver.getLog()}")
    return _recolor(_draw_ending_numbers(engraver.renderToSVG(1)))


def draw_png(melody: Melody) -> bytes:
    """Draw the score of a melody as PNG, 1000 pixels wide and at most 2000 high.

    Args:
        melody: the melody.

    Returns:
        The PNG file; a very long score is scaled down to fit the height.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    return rasterize(draw_svg(melody))


def rasterize(svg: str) -> bytes:
    """Rasterize an engraved score, 1000 pixels wide and at most 2000 high.

    Args:
        svg: what `engrave` returned.

    Returns:
        The PNG file.
    """
    height = int(svg.split('height="', 1)[1].split("px", 1)[0])
    limit = MAX_HEIGHT if height > MAX_HEIGHT else None
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, background=BACKGROUND, height=limit, skip_system_fonts=True
        )
    )


def _glyph_folder() -> Traversable:
    """Return the folder of verovio's fonts."""
    return files(verovio) / "data"


def choose_scale_and_breaks(
    melody: Melody, bars: Sequence[WrittenBar], widths: Sequence[float], line_height: float
) -> tuple[int, list[int]]:
    """Choose the largest scale and the line breaks that fit the page, four bars a line if possible.

    Args:
        melody: the melody.
        bars: its laid-out bars.
        widths: natural width of each bar in pixels at full scale.
        line_height: pixels per line of music and per cent of scale.

    Returns:
        The scale in per cent, and the indices of the bars that begin a line, without the first and
        with the number of bars last.
    """
    has_threes = all(bar % 3 == 0 for bar in (*melody.sections, melody.bar_count))
    for scales, counts in (
        (_SCALES, (4,)),
        (_SCALES, (3, 2) if has_threes else (2,)),
        (_SMALL_SCALES, (8, 6, 4, 2)),  # a long tune in a small size with long lines
    ):
        for scale, count in product(scales, counts):
            ends = _line_ends(bars, count)
            lines = pairwise([0, *ends])
            widest = max((sum(widths[start:end]) for start, end in lines), default=0)
            room = (WIDTH - 2 * _MARGIN) * 100 / scale - _CLEF_WIDTH
            height = len(ends) * line_height * scale + 2 * _MARGIN
            if widest <= room * _MAX_COMPRESSION and height <= MAX_HEIGHT:
                return scale, ends
    return _SMALL_SCALES[-1], _line_ends(bars, 8)


def _line_ends(bars: Sequence[WrittenBar], count: int) -> list[int]:
    """Return the end index (exclusive) of each line of ``count`` bars."""
    return list(accumulate(map(len, break_into_lines(bars, count))))


def estimate_width(bar: WrittenBar) -> float:
    """Estimate the natural width of a bar.

    Args:
        bar: a laid-out bar.

    Returns:
        Pixels at full scale.
    """
    altered = sum(1 for note in bar.notes if note.spelling and note.spelling.alteration)
    signs = 20 * (bar.starts_repeat + bar.ends_repeat) + 50 * bar.changes_meter
    return 30.0 + 42 * len(bar.notes) + 8 * altered + signs


def _draw_ending_numbers(svg: str) -> str:
    """Replace the numbers of endings by outlines from verovio's font."""

    def draw(text: re.Match[str]) -> str:
        path = _glyph_folder() / "Leipzig" / f"{_DIGITS[text['number']]}.xml"
        glyph = path.read_text(encoding="utf-8")
        outline = glyph[glyph.index("<path") : glyph.index("/>") + 2]
        transform = f"translate({text['x']}, {text['y']}) scale({_DIGIT_SCALE})"
        return f'<g class="text" transform="{transform}">{outline}</g>'

    return _ENDING_NUMBER.sub(draw, svg)


def _recolor(svg: str) -> str:
    """Add the dark background, and change black to the light foreground."""
    head, body = svg.split("<defs", 1)
    background = f'<rect width="100%" height="100%" style="fill:{BACKGROUND};stroke:none"/>\n   '
    color = f'color="{FOREGROUND}" fill="{FOREGROUND}"'
    return f"{head}{background}<defs{body}".replace('color="black"', color)
