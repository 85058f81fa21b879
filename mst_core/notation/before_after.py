"""The score before and after: two staves, bar under bar, as players read a variant.

The small upper stave is the tune as it was, the lower one as it is now. There, the notes that are
another are orange, which also those tell from white who see no red or no green. A letter stands
above bars that were the same music: bright where they are the same after too, dark where one of
them went its own way. The letters are drawn as strokes, so that no font can be missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from string import ascii_uppercase

from mst_core.music import Melody
from mst_core.notation.layout import WrittenBar, lay_out_bars
from mst_core.notation.mei import MeiStaff, write_mei_staves
from mst_core.notation.picture import (
    FOREGROUND,
    choose_scale_and_breaks,
    engrave,
    estimate_width,
    rasterize,
)

MAX_BARS = 32
"""A longer tune is cut behind so many bars; a picture is to be taken in at a glance."""
CHANGED_COLOR = "#e69f00"
"""The orange of Okabe and Ito's colours for everyone (2008)."""
BEFORE_COLOR = "#a9a9b2"
_LOST_COLOR = "#6a6a72"
_SCALE_BEFORE = 75  # per cent
_LINE_HEIGHT = 4.6  # pixels of two staves and their letters for each per cent of scale
_LETTER_PATHS = {
    "A": "M0 6L2 0L4 6M.8 4H3.2",
    "B": "M0 0V6H2.4C4.4 6 4.4 3 2.4 3H0H2.2C4 3 4 0 2.2 0Z",
    "C": "M4 1C2.5-.7 0 0 0 3S2.5 6.7 4 5",
    "D": "M0 0V6H1.5C5 6 5 0 1.5 0Z",
    "E": "M3.6 0H0V6H3.6M0 3H3",
    "F": "M3.6 0H0V6M0 3H3",
    "G": "M4 1C2.5-.7 0 0 0 3S2.5 6.7 4 5V3.3H2.4",
    "H": "M0 0V6M4 0V6M0 3H4",
    "I": "M2 0V6",
    "J": "M3.4 0V4C3.4 6.6 0 6.6 .2 4.2",
    "K": "M0 0V6M3.8 0L0 3.6M1.3 2.6L4 6",
    "L": "M0 0V6H3.4",
    "M": "M0 6V0L2.2 4L4.4 0V6",
    "N": "M0 6V0L4 6V0",
    "O": "M2 0C-.7 0-.7 6 2 6S4.7 0 2 0Z",
    "P": "M0 6V0H2.2C4.4 0 4.4 3.4 2.2 3.4H0",
}
_UNIT = 42  # of the picture's inner units: an em of the strokes is six of them
_LABEL = re.compile(
    r'<g id="(?P<kind>same|lost)(?P<letter>[A-P])-\d+" class="dir[^"]*">\s*'
    r'<text x="(?P<x>-?\d+)" y="(?P<y>-?\d+)".*?</text>\s*</g>',
    re.DOTALL,
)


def draw_before_after_svg(before: Melody, after: Melody) -> str:
    """Draw both tunes, 1000 pixels wide, at most 32 bars of them.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    changed = changed_notes(before, after)
    upper, lower = _align_bars(before, after)
    widths = [
        estimate_width(max(pair, key=estimate_width)) + 12 * min(len(bar.notes) for bar in pair)
        for pair in zip(upper, lower, strict=True)
    ]
    scale, breaks = choose_scale_and_breaks(before, upper, widths, _LINE_HEIGHT)
    mei = write_mei_staves(
        [
            MeiStaff(before, upper, scale=_SCALE_BEFORE, name="before"),
            MeiStaff(after, lower, highlighted=changed, highlight_color=CHANGED_COLOR),
        ],
        breaks=breaks,
        marks=_repetition_labels(before, after, upper),
    )
    svg = engrave(mei, scale)
    grey = rf'\1 color="{BEFORE_COLOR}" fill="{BEFORE_COLOR}"'
    return _LABEL.sub(_draw_letter, re.sub(r'(<g id="before-\d+" class="staff")', grey, svg))


def draw_before_after_png(before: Melody, after: Melody) -> bytes:
    """Draw both tunes, 1000 pixels wide and at most 2000 high.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    return rasterize(draw_before_after_svg(before, after))


def changed_notes(before: Melody, after: Melody) -> frozenset[int]:
    """The notes of ``after``, by their place, that are another than before.

    With as many notes as before, each is held against its own; else against any note that stood in
    the same bar. It is another when its place in the bar, its duration or its pitch is.
    """
    old, new = _notes_by_bar(before), _notes_by_bar(after)
    if len(old) == len(new):
        return frozenset(i for i, pair in enumerate(zip(old, new, strict=True)) if len({*pair}) > 1)
    known = {*old}
    return frozenset(i for i, note in enumerate(new) if note not in known)


def _notes_by_bar(melody: Melody) -> list[tuple[int, Fraction, Fraction, int]]:
    """Bar, place in it, duration and pitch of every note."""
    lines = melody.barlines
    found, bar = [], 0
    for note in melody.notes:
        while bar + 1 < len(lines) and lines[bar + 1] <= note.onset:
            bar += 1
        found.append((bar, note.onset - lines[bar], note.duration, note.pitch))
    return found


def find_repeated_bars(melody: Melody, bars: int) -> dict[int, int]:
    """The bars among the first so many that another one equals: their first equal, by bar.

    Bars count from 0. Notes that sound in from the bar before belong to a bar too.
    """
    firsts: dict[tuple[tuple[Fraction, Fraction, int], ...], int] = {}
    found: dict[int, int] = {}
    lines = melody.barlines
    for bar in range(min(bars, melody.bar_count)):
        start, end = lines[bar], lines[bar + 1]
        music = tuple(
            (note.onset - start, note.duration, note.pitch)
            for note in melody.notes
            if note.onset < end and note.end > start
        )
        if music:
            found[bar] = firsts.setdefault(music, bar)
    again = {first for bar, first in found.items() if bar != first}
    return {bar: first for bar, first in found.items() if first in again}


def _repetition_labels(before: Melody, after: Melody, bars: Sequence[WrittenBar]) -> dict[int, str]:
    """The word of each bar that is the same as another: ``same`` or ``lost``, and its letter."""
    shown = min(MAX_BARS, before.bar_count)
    was, now = find_repeated_bars(before, shown), find_repeated_bars(after, shown)
    letters = dict(zip(dict.fromkeys(was.values()), ascii_uppercase, strict=False))
    words = {
        bar: f"{'same' if now.get(bar, bar) == now.get(first, first) else 'lost'}{letters[first]}"
        for bar, first in was.items()
    }
    return {
        place: words[bar.number - 1]
        for place, bar in enumerate(bars)
        if not bar.starts_after_repeat_sign and bar.number - 1 in words
    }


def _align_bars(before: Melody, after: Melody) -> tuple[list[WrittenBar], list[WrittenBar]]:
    """Lay both out so that every bar of one has its counterpart at the same place."""
    upper, lower = _first_bars(lay_out_bars(before)), _first_bars(lay_out_bars(after))
    if [*map(_bar_id, upper)] != [*map(_bar_id, lower)]:
        # Repeat signs within bars cut the two in different places: let them stand at barlines.
        upper, lower = (
            _first_bars(lay_out_bars(_without_lead_ins(before))),
            _first_bars(lay_out_bars(_without_lead_ins(after))),
        )
    places = sorted({*map(_bar_id, upper), *map(_bar_id, lower)})
    return _fill_missing_bars(upper, lower, places), _fill_missing_bars(lower, upper, places)


def _first_bars(bars: Sequence[WrittenBar]) -> list[WrittenBar]:
    """The first bars, with a plain end where they are not all."""
    kept = [bar for bar in bars if bar.number <= MAX_BARS]
    if len(kept) < len(bars):
        kept[-1] = replace(kept[-1], right_barline="single")
    return kept


def _bar_id(bar: WrittenBar) -> tuple[int, bool]:
    return bar.number, bar.starts_after_repeat_sign


def _without_lead_ins(melody: Melody) -> Melody:
    repeats = (
        replace(repeat, lead_in=Fraction(0), lead_out=Fraction(0)) for repeat in melody.repeats
    )
    return replace(melody, repeats=tuple(repeats))


def _fill_missing_bars(
    bars: Sequence[WrittenBar], others: Sequence[WrittenBar], places: Sequence[tuple[int, bool]]
) -> list[WrittenBar]:
    """Put a bare bar where only the other tune has one, such as a pickup."""
    own: Mapping[tuple[int, bool], WrittenBar] = {_bar_id(bar): bar for bar in bars}
    theirs = {_bar_id(bar): replace(bar, notes=()) for bar in others}
    return [own.get(place) or theirs[place] for place in places]


def _draw_letter(mark: re.Match[str]) -> str:
    """Draw a letter with its foot where the engraver had put a word."""
    ink = FOREGROUND if mark["kind"] == "same" else _LOST_COLOR
    place = f"translate({mark['x']}, {int(mark['y']) - 6 * _UNIT}) scale({_UNIT})"
    look = f'fill="none" style="stroke:{ink};stroke-width:.8;stroke-linecap:round"'
    return f'<path class="mark" transform="{place}" d="{_LETTER_PATHS[mark["letter"]]}" {look}/>'
