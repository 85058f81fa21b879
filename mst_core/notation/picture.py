"""Draws the score of a melody as pages of SVG.

A short tune is one page. A longer one keeps the size of its notes and goes on on the next page.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise, product

from mst_core.music import Melody
from mst_core.notation.engraving import DARK, MARGIN, WIDTH, Theme, engrave
from mst_core.notation.layout import WrittenBar, break_into_lines, lay_out_bars
from mst_core.notation.mei import tempo_text, write_mei
from mst_core.notation.page_bars import fit_bars_to_page
from mst_core.notation.tempo_marks import mark_tempos

_SCALES = (60, 52, 46)
"""Per cent of verovio's default size, in which a staff is 72 pixels high."""
_DENSE_SCALES = (46, 40, 34, 28, 22)
"""Scales for a tune that has a bar wider than a line at `_SCALES`."""
_BARS_PER_LINE = 4
_CLEF_WIDTH = 100
"""Pixels at full scale of clef, key and meter."""
_LINE_COST = 0.3
"""What a line costs beside the square of its empty share, where lines are filled evenly."""
_MOST_LINES = 0.8
"""Lines of different numbers of bars are taken where they are at most this share of equal ones."""
_MAX_COMPRESSION = 1.1
"""Largest natural width of a line relative to the page: the engraver can compress that much."""


def draw_svg_pages(melody: Melody, *, title: str = "", theme: Theme = DARK) -> tuple[str, ...]:
    """Draw the score of a melody as SVG, 1000 pixels wide, with a background.

    Args:
        melody: the melody.
        title: its title above the music; empty for none.
        theme: the colours.

    Returns:
        One SVG document a page.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    bars = fit_bars_to_page(lay_out_bars(melody, tuplets=True))
    scale, ends = choose_lines(melody, bars, [estimate_width(bar) for bar in bars])
    return engrave(
        write_mei(melody, bars, line_starts=ends),
        scale,
        title=" ".join(title.split()),
        tempo=tempo_text(mark_tempos(melody)[0].tempo, melody.meter),
        theme=theme,
    )


def choose_lines(
    melody: Melody,
    bars: Sequence[WrittenBar],
    widths: Sequence[float],
    *,
    scales: Sequence[int] = _SCALES,
    bars_per_line: int = _BARS_PER_LINE,
) -> tuple[int, list[int]]:
    """Choose the scale and the line breaks of a score.

    The largest scale is taken at which four bars fit each line, else three or two. Where few bars
    are dense, as in a performance, lines have different numbers of bars and are filled evenly.

    Args:
        melody: the melody.
        bars: its laid-out bars.
        widths: natural width of each bar in pixels at full scale.
        scales: the scales in per cent, falling.
        bars_per_line: most bars of a line.

    Returns:
        The scale in per cent, and the indices of the bars that begin a line, without the first and
        with the number of bars last.
    """
    has_threes = all(bar % 3 == 0 for bar in (*melody.sections, melody.bar_count))
    regular = None
    for counts in ((bars_per_line,), (3, 2) if has_threes else (2,)):
        for scale, count in product(scales, counts):
            ends = _line_ends(bars, count)
            lines = pairwise([0, *ends])
            widest = max((sum(widths[start:end]) for start, end in lines), default=0)
            if widest <= _room(scale):
                regular = regular or (scale, ends)
        if regular is not None and counts == (bars_per_line,):
            return regular
    widest = max(widths)
    dense = [scale for scale in (*scales[1:], *_DENSE_SCALES) if widest <= _room(scale)]
    scale = dense[0] if dense else _DENSE_SCALES[-1]
    filled = _fill_lines(bars, widths, _room(scale), bars_per_line)
    if regular is not None and len(filled) > _MOST_LINES * len(regular[1]):
        return regular
    return scale, filled


def _fill_lines(
    bars: Sequence[WrittenBar], widths: Sequence[float], room: float, bars_per_line: int
) -> list[int]:
    """Return the line ends at which lines of different numbers of bars are filled most evenly.

    Each section is broken by itself: the sum of the squared empty shares of its lines is least.
    """
    ends: list[int] = []
    starts = [0, *_line_ends(bars, 1)]  # a line may begin there
    sections = [i for i, at in enumerate(starts[:-1]) if i == 0 or bars[at].starts_section]
    for first, last in pairwise([*sections, len(starts) - 1]):
        costs, choices = [0.0], [first]  # of the bars up to each start, and where the line begins
        for end in range(first + 1, last + 1):
            ways: list[tuple[float, int]] = []
            for begin in range(max(first, end - bars_per_line), end):
                used = sum(widths[starts[begin] : starts[end]]) / room
                empty = max(0.0, 1 - used) if end < last else max(0.0, 0.5 - used)
                excess = 100 * max(0.0, used - 1) if end - begin > 1 else 0.0
                ways.append((costs[begin - first] + _LINE_COST + empty**2 + excess, begin))
            cost, choice = min(ways)
            costs.append(cost)
            choices.append(choice)
        line_ends, end = [], last
        while end > first:
            line_ends.append(starts[end])
            end = choices[end - first]
        ends += reversed(line_ends)
    return ends


def _room(scale: int) -> float:
    """Return the largest natural width of a line at a scale, in pixels at full scale."""
    return ((WIDTH - 2 * MARGIN) * 100 / scale - _CLEF_WIDTH) * _MAX_COMPRESSION


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
    signs = 20 * (bar.starts_repeat + bar.ends_repeat) + 50 * (bar.changes_meter + bar.changes_key)
    graces = sum(len(note.grace) for note in bar.notes)
    notes = 42 * len(bar.notes) + 26 * graces + 8 * altered
    # Verovio moves the notes apart where chord symbols would meet.
    words = sum(25 + 15 * len(text) for _, text in bar.chords)
    rests = 120 * (bar.silent_bars > 1)
    return 30.0 + max(notes, words, rests) + signs
