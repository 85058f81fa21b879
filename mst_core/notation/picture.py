"""The score as a picture for a dark channel: MEI, engraved by verovio, painted by resvg.

It carries no words, so it needs no font of the system: the signs of music are outlines in the SVG.
A new engraver for each picture costs little and lets any thread draw.
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
FOREGROUND = "#e8e8ea"
WIDTH = 1000
"""Pixels."""
MAX_HEIGHT = 2000
"""Pixels that a picture is high at most."""

_MARGIN = 24  # pixels
_SCALES = (60, 52, 46)
"""Per cent of verovio's own size, where a stave is 72 pixels high."""
_SMALL_SCALES = (40, 34, 28, 22)
_LINE_HEIGHT = 2.35  # pixels of a line of music for each per cent of scale, low and high notes too
_CLEF_WIDTH = 100  # pixels at full scale of clef, key and meter
_DIGITS = {"1": "E881", "2": "E882"}
_DIGIT_SCALE = 1.0
_ENDING_NUMBER = re.compile(
    r'<text x="(?P<x>\d+)" y="(?P<y>\d+)"[^>]*>\s*(?:<tspan[^>]*>\s*)+\(?(?P<number>[12])\)?\s*'
    r"(?:</tspan>\s*)+</text>"
)
_MAX_COMPRESSION = (
    1.1  # times the room that the natural width of a line may be: engraving is elastic
)


class EngravingError(RuntimeError):
    """The engraver did not take what we wrote: a bug of ours."""


def draw_svg(melody: Melody) -> str:
    """Draw the score, 1000 pixels wide, with its ground.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    bars = lay_out_bars(melody)
    scale, breaks = choose_scale_and_breaks(
        melody, bars, [estimate_width(bar) for bar in bars], _LINE_HEIGHT
    )
    return engrave(write_mei(melody, bars, line_starts=breaks), scale)


def engrave(mei: str, scale: int) -> str:
    """Turn MEI without words, but for the numbers of endings, into SVG on its ground."""
    verovio.enableLog(verovio.LOG_ERROR)
    # The place of its signs is remembered for the importing thread only, so each engraver is told.
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
        raise EngravingError(engraver.getLog())
    return _recolor(_draw_ending_numbers(engraver.renderToSVG(1)))


def draw_png(melody: Melody) -> bytes:
    """Draw the score, 1000 pixels wide and at most 2000 high; narrower when it is very long.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    return rasterize(draw_svg(melody))


def rasterize(svg: str) -> bytes:
    """Paint an engraved score as PNG, 1000 pixels wide and at most 2000 high."""
    height = int(svg.split('height="', 1)[1].split("px", 1)[0])
    limit = MAX_HEIGHT if height > MAX_HEIGHT else None
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, background=BACKGROUND, height=limit, skip_system_fonts=True
        )
    )


def _glyph_folder() -> Traversable:
    """The folder of music's signs that comes with the engraver."""
    return files(verovio) / "data"


def choose_scale_and_breaks(
    melody: Melody, bars: Sequence[WrittenBar], widths: Sequence[float], line_height: float
) -> tuple[int, list[int]]:
    """Choose the scale and the bars that open lines: large and four bars a line, while they fit.

    ``widths`` are those of the bars, in pixels at full scale; ``line_height`` is in pixels for
    each per cent of scale.
    """
    thirds = all(bar % 3 == 0 for bar in (*melody.sections, melody.bar_count))
    for scales, counts in (
        (_SCALES, (4,)),
        (_SCALES, (3, 2) if thirds else (2,)),
        (_SMALL_SCALES, (8, 6, 4, 2)),  # a long tune is looked at from further away
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
    return list(accumulate(map(len, break_into_lines(bars, count))))


def estimate_width(bar: WrittenBar) -> float:
    """Estimate the natural width of a bar in pixels at full scale."""
    signature = sum(1 for piece in bar.notes if piece.spelling and piece.spelling.alteration)
    signs = 20 * (bar.starts_repeat + bar.ends_repeat) + 50 * bar.changes_meter
    return 30.0 + 42 * len(bar.notes) + 8 * signature + signs


def _draw_ending_numbers(svg: str) -> str:
    """Draw the numbers of endings with the outlines of music's own digits: no font is needed."""

    def draw(text: re.Match[str]) -> str:
        sign = _glyph_folder() / "Leipzig" / f"{_DIGITS[text['number']]}.xml"
        glyph = sign.read_text(encoding="utf-8")
        outline = glyph[glyph.index("<path") : glyph.index("/>") + 2]
        place = f"translate({text['x']}, {text['y']}) scale({_DIGIT_SCALE})"
        return f'<g class="text" transform="{place}">{outline}</g>'

    return _ENDING_NUMBER.sub(draw, svg)


def _recolor(svg: str) -> str:
    """Put light ink on a dark ground."""
    head, body = svg.split("<defs", 1)
    ground = f'<rect width="100%" height="100%" style="fill:{BACKGROUND};stroke:none"/>\n   '
    ink = f'color="{FOREGROUND}" fill="{FOREGROUND}"'
    return f"{head}{ground}<defs{body}".replace('color="black"', ink)
