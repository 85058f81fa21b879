"""Draws a tune before and after a transfer on two aligned staves.

The small upper staff is the tune before, the lower one after. Changed notes are orange. A letter is
above bars that were repetitions of each other before: bright where they still are, dark where they
no longer are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from string import ascii_uppercase

from mst_core.music import Melody
from mst_core.notation.engraving import DARK, Theme, engrave
from mst_core.notation.layout import WrittenBar, lay_out_bars
from mst_core.notation.mei import MeiStaff, write_mei_staves
from mst_core.notation.picture import choose_lines, estimate_width

MAX_BARS = 32
"""Only the first bars of a longer tune are drawn."""
CHANGED_COLOR = "#e69f00"
"""Orange from the palette of Okabe and Ito (2008), distinct with color blindness."""
MAX_HEIGHT = 2000
"""Pixels of the picture at most; a higher one is scaled down."""
_LOST_COLOR = "#6a6a72"
_SCALE_BEFORE = 75
"""Size of the upper staff in per cent."""
_LINE_HEIGHT = 4.6
"""Pixels of two staves with letters per per cent of scale."""
_PAGE_HEIGHT = 60_000
"""Pixels, more than 32 bars need: both tunes are drawn on one page."""
_SMALL_SCALES = (40, 34, 28, 22)
"""Per cent of the engraver's size for tunes that are not dense but long."""


def draw_before_after_svg(
    before: Melody, after: Melody, *, title: str = "", theme: Theme = DARK
) -> str:
    """Draw both tunes as SVG, 1000 pixels wide, at most 32 bars.

    Args:
        before: the tune before.
        after: the tune after.
        title: the title above the music; empty for none.
        theme: the colours.

    Returns:
        The SVG document; where bars are left out, it says so.

    Raises:
        UnwritableRhythm: when a note is off the grid of 1/24 quarter.
    """
    changed = changed_notes(before, after)
    upper, lower = _align_bars(before, after)
    widths = [
        estimate_width(max(pair, key=estimate_width)) + 12 * min(len(bar.notes) for bar in pair)
        for pair in zip(upper, lower, strict=True)
    ]
    scale, ends = _choose_lines(before, upper, widths)
    mei = write_mei_staves(
        [
            MeiStaff(before, upper, scale=_SCALE_BEFORE, name="before"),
            MeiStaff(after, lower, highlighted=changed, highlight_color=CHANGED_COLOR),
        ],
        line_starts=ends,
        labels=_repetition_labels(before, after, upper),
    )
    longest = max(before.bar_count, after.bar_count)
    (svg,) = engrave(
        mei,
        scale,
        title=" ".join(title.split()),
        note=f"bars 1 to {MAX_BARS} of {longest}" if longest > MAX_BARS else "",
        theme=theme,
        page_height=_PAGE_HEIGHT,
    )
    for group, color in ((r"before-\d+", theme.faint), (r"lost[A-P]-\d+", _LOST_COLOR)):
        svg = re.sub(rf'(<g id="{group}")', rf'\1 color="{color}" fill="{color}"', svg)
    return svg


def _choose_lines(
    melody: Melody, bars: Sequence[WrittenBar], widths: Sequence[float]
) -> tuple[int, list[int]]:
    """Return the scale and the line ends at which both tunes fit one page."""
    scale, ends = choose_lines(melody, bars, widths)
    for smaller in _SMALL_SCALES:
        if len(ends) * _LINE_HEIGHT * scale <= MAX_HEIGHT:
            break
        if smaller < scale:
            scale, ends = choose_lines(melody, bars, widths, scales=(smaller,), bars_per_line=8)
    return scale, ends


def changed_notes(before: Melody, after: Melody) -> frozenset[int]:
    """Return which notes differ in bar, position in the bar, duration or pitch.

    With equal note counts, note i is compared with note i; otherwise with all notes before.

    Args:
        before: the tune before.
        after: the tune after.

    Returns:
        Indices of the changed notes of ``after``.
    """
    old, new = _notes_by_bar(before), _notes_by_bar(after)
    if len(old) == len(new):
        return frozenset(i for i, pair in enumerate(zip(old, new, strict=True)) if len({*pair}) > 1)
    known = {*old}
    return frozenset(i for i, note in enumerate(new) if note not in known)


def _notes_by_bar(melody: Melody) -> list[tuple[int, Fraction, Fraction, int]]:
    """Return bar, position in it, duration and pitch of every note."""
    lines = melody.barlines
    notes, bar = [], 0
    for note in melody.notes:
        while bar + 1 < len(lines) and lines[bar + 1] <= note.onset:
            bar += 1
        notes.append((bar, note.onset - lines[bar], note.duration, note.pitch))
    return notes


def find_repeated_bars(melody: Melody, n_bars: int) -> dict[int, int]:
    """Find bars with equal notes.

    Notes that continue from the bar before count as notes of a bar.

    Args:
        melody: the tune.
        n_bars: number of bars that are searched.

    Returns:
        For each bar that equals another, the index of the first bar equal to it.
    """
    first_bars: dict[tuple[tuple[Fraction, Fraction, int], ...], int] = {}
    firsts: dict[int, int] = {}
    lines = melody.barlines
    for bar in range(min(n_bars, melody.bar_count)):
        start, end = lines[bar], lines[bar + 1]
        music = tuple(
            (note.onset - start, note.duration, note.pitch)
            for note in melody.notes
            if note.onset < end and note.end > start
        )
        if music:
            firsts[bar] = first_bars.setdefault(music, bar)
    repeated = {first for bar, first in firsts.items() if bar != first}
    return {bar: first for bar, first in firsts.items() if first in repeated}


def _repetition_labels(before: Melody, after: Melody, bars: Sequence[WrittenBar]) -> dict[int, str]:
    """Return the label of each repeated bar by index: ``same`` or ``lost``, and its letter."""
    shown = min(MAX_BARS, before.bar_count)
    was, now = find_repeated_bars(before, shown), find_repeated_bars(after, shown)
    letters = dict(zip(dict.fromkeys(was.values()), ascii_uppercase, strict=False))
    words = {
        bar: f"{'same' if now.get(bar, bar) == now.get(first, first) else 'lost'}{letters[first]}"
        for bar, first in was.items()
    }
    return {
        index: words[bar.number - 1]
        for index, bar in enumerate(bars)
        if not bar.starts_after_repeat_sign and bar.number - 1 in words
    }


def _align_bars(before: Melody, after: Melody) -> tuple[list[WrittenBar], list[WrittenBar]]:
    """Lay both out so that bars with the same index correspond."""
    upper, lower = _first_bars(before), _first_bars(after)
    if [*map(_bar_id, upper)] != [*map(_bar_id, lower)]:
        # Repeat signs within bars split the two differently: move them to the barlines.
        upper, lower = (
            _first_bars(_without_lead_ins(before)),
            _first_bars(_without_lead_ins(after)),
        )
    ids = sorted({*map(_bar_id, upper), *map(_bar_id, lower)})
    return _fill_missing_bars(upper, lower, ids), _fill_missing_bars(lower, upper, ids)


def _first_bars(melody: Melody) -> list[WrittenBar]:
    """Lay out the first `MAX_BARS` bars, with a single barline at the end when some are left."""
    bars = lay_out_bars(melody, tuplets=True)
    kept = [bar for bar in bars if bar.number <= MAX_BARS]
    if len(kept) < len(bars):
        kept[-1] = replace(kept[-1], right_barline="single")
    return kept


def _bar_id(bar: WrittenBar) -> tuple[int, bool]:
    """Return what identifies a bar or part of a bar."""
    return bar.number, bar.starts_after_repeat_sign


def _without_lead_ins(melody: Melody) -> Melody:
    """Return the melody with all repeat signs at barlines."""
    repeats = (
        replace(repeat, lead_in=Fraction(0), lead_out=Fraction(0)) for repeat in melody.repeats
    )
    return replace(melody, repeats=tuple(repeats))


def _fill_missing_bars(
    bars: Sequence[WrittenBar], others: Sequence[WrittenBar], ids: Sequence[tuple[int, bool]]
) -> list[WrittenBar]:
    """Add a blank bar where only the other tune has one, such as a pickup."""
    own: Mapping[tuple[int, bool], WrittenBar] = {_bar_id(bar): bar for bar in bars}
    theirs = {_bar_id(bar): replace(bar, notes=()) for bar in others}
    return [own.get(each) or theirs[each] for each in ids]
