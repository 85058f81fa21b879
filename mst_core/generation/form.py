"""The form of a tune, planned before its first note: which bars are new and which return.

A plan cuts the tune into spans. A span is written anew or copied from earlier bars; no note crosses
the edge of a span, so that copies are whole and phrases begin where they should. Which bars of a
part return is drawn from the tunes of the style (`mst_core.statistics.repetition`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mst_core.statistics.repetition import PATTERN_BARS, PHRASE_BARS, parse_symbol, section_letters

PART_BARS = 2 * PHRASE_BARS
"""Bars of a part of a dance."""
SECTION_LENGTHS = (16, 8, 4)
"""Lengths of sections, in bars, that make sense to an ear."""
DEFAULT_FORMS = {
    1: "A",
    2: "AA",
    3: "AAB",
    4: "AABA",
    5: "AABBA",
    6: "AABBCC",
    7: "AABBCCA",
    8: "AABBAABB",
}
RHYMING_END_PROBABILITY = 0.6
"""How often the end of the tune is the end of its first part again."""
DEFAULT_REPETITION = {
    "....01......89..": 3,
    "....01......8967": 3,
    "....01........67": 2,
    "....01......01..": 1,
    "....01......0167": 1,
    "............8967": 1,
    ".....1..01..8967": 1,
    "........01......": 1,
}
"""The commonest of the folk corpus and one of other forms, for a style whose tunes seldom repeat or
whose patterns are not known."""


@dataclass(frozen=True, slots=True)
class FormSpan:
    """Bars that are written in one go, or copied."""

    first_bar: int
    """Counted from 0."""
    bar_count: int
    copies: int | None = None
    """The first bar that it copies; None when it is new."""
    cadence: bool = False
    """Whether it ends a part, on a stable pitch."""
    final: bool = False
    """Whether the tune ends with it, or with a copy of it: the stable pitch is the tonic."""
    varies: int | None = None
    """The first bar that it varies, for a new span that is to sound like earlier bars."""
    avoids: int | None = None
    """The first bar that it must not repeat: what came before it returns, and goes on elsewhere."""


@dataclass(frozen=True, slots=True)
class FormPlan:
    """A form over so many bars."""

    form: str
    sections: tuple[int, ...]
    """The bars where sections begin."""
    bar_count: int
    spans: tuple[FormSpan, ...]


@dataclass(slots=True)
class _FormDraft:
    """What is decided of each bar so far."""

    copied_bars: dict[int, int]
    varied_bars: dict[int, int]
    cadence_bars: set[int]

    def place_pattern(self, first_bar: int, signs: str, part_starts: tuple[int, ...]) -> None:
        """Lay a stretch of a pattern from a bar on; ``homes[part]`` is where a part stands."""
        for bar, sign in enumerate(signs, start=first_bar):
            found = parse_symbol(sign)
            if found is None:
                continue
            source, varied = part_starts[found[0] // PART_BARS] + found[0] % PART_BARS, found[1]
            if source < bar:
                (self.varied_bars if varied else self.copied_bars)[bar] = source


def plan_form(
    bar_count: int,
    forms: Mapping[str, float],
    rng: np.random.Generator,
    repetition_patterns: Mapping[str, int] | None = None,
    *,
    varied: bool = False,
) -> FormPlan:
    """Draw a form by its weight and lay it out over the bars.

    ``returns`` are the style's patterns with their counts: sixteen bars get one of those whose
    phrases return, so that a form is heard. When ``varied``, the usual patterns serve, and what
    would return note for note is varied instead.
    """
    wanted = _draw(forms, rng)
    draft = _FormDraft({}, {}, set())
    patterns = DEFAULT_REPETITION if varied or not repetition_patterns else repetition_patterns
    alike = {
        word: count
        for word, count in patterns.items()
        if section_letters(word) == wanted
        or (
            patterns is repetition_patterns
            and len(set(section_letters(word))) < PATTERN_BARS // PHRASE_BARS
        )
    }
    if bar_count == PATTERN_BARS and alike:
        pattern = _draw(alike, rng)
        form, sizes = section_letters(pattern), [PHRASE_BARS] * (PATTERN_BARS // PHRASE_BARS)
        draft.place_pattern(0, pattern, (0, PART_BARS))
        draft.cadence_bars |= {PART_BARS - 1, PATTERN_BARS - 1}
    else:
        form, sizes = _section_lengths(bar_count, wanted)
        _place_sections(draft, form, sizes, patterns, rng)
    sections = tuple(int(start) for start in np.cumsum([0, *sizes[:-1]]))
    if varied:
        draft.varied_bars |= draft.copied_bars
        draft.copied_bars.clear()
        draft.cadence_bars = {bar_count - 1}  # a solo's phrases end where they like
    return FormPlan(form, sections, bar_count, _cut_spans(bar_count, set(sections), draft))


def _draw(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    names = sorted(weights)
    shares = np.array([weights[name] for name in names], dtype=float)
    return str(rng.choice(names, p=shares / shares.sum()))


def _place_sections(
    draft: _FormDraft,
    form: str,
    sizes: list[int],
    patterns: Mapping[str, int],
    rng: np.random.Generator,
) -> None:
    """Let whole sections return, and bars within the new ones as a pattern has it."""
    pattern = _draw(patterns, rng)
    bars = sum(sizes)
    first_of: dict[str, int] = {}
    start = 0
    for index, (letter, size) in enumerate(zip(form, sizes, strict=True)):
        original = first_of.setdefault(letter, start)
        again = original < start
        if again:
            answer = size if size > PHRASE_BARS else size - 1  # short parts get a second ending
            draft.copied_bars |= {start + bar: original + bar for bar in range(answer)}
        elif size == PATTERN_BARS:
            draft.place_pattern(start, pattern, (start, start + PART_BARS))
            draft.cadence_bars.add(start + PART_BARS - 1)
        elif size == PART_BARS:
            opening = len(first_of) == 1
            draft.place_pattern(
                start, pattern[:PART_BARS] if opening else pattern[PART_BARS:], (0, start)
            )
        if again or size > PHRASE_BARS or index == len(form) - 1:
            draft.cadence_bars.add(start + size - 1)
        start += size
    final, first_close = bars - 1, min(draft.cadence_bars)
    new = final not in draft.copied_bars and first_close not in draft.copied_bars
    if len(form) > 2 and rng.random() < RHYMING_END_PROBABILITY and first_close < final and new:
        draft.copied_bars[final] = first_close


def _section_lengths(bars: int, form: str) -> tuple[str, list[int]]:
    """Give each section of a form its bars, or find a form that the bars allow."""
    size, odd = divmod(bars, len(form))
    if not odd and size in SECTION_LENGTHS:
        return form, [size] * len(form)
    for size in SECTION_LENGTHS:
        count, odd = divmod(bars, size)
        if not odd and 1 < count < 9 and size <= PART_BARS:
            return DEFAULT_FORMS[count], [size] * count
    sizes = [PHRASE_BARS] * (bars // PHRASE_BARS)
    rest = bars % PHRASE_BARS
    if rest > 1 or not sizes:
        sizes.append(rest)
    else:
        sizes[-1] += rest
    letters = "AABBCCDDEEFFGGHH"[: len(sizes)]
    if len(sizes) > 1 and sizes[-1] != PHRASE_BARS:
        letters = letters[:-1] + chr(ord(max(letters[:-1])) + 1)
    return letters, sizes


def _cut_spans(bars: int, sections: set[int], draft: _FormDraft) -> tuple[FormSpan, ...]:
    """Cut where a return begins or ends, on either side, at sections and at every phrase."""
    cuts = {0, bars} | sections
    for section in sections:
        cuts |= set(range(section, bars, PHRASE_BARS))
    copies = draft.copied_bars
    models = {bar: source for bar, source in draft.varied_bars.items() if bar not in copies}
    for returning, both in ((copies, True), (models, False)):
        for bar, source in returning.items():
            if returning.get(bar - 1) != source - 1:
                cuts |= {bar, source} if both else {bar}
            if returning.get(bar + 1) != source + 1:
                cuts |= {bar + 1, source + 1} if both else {bar + 1}
    edges = sorted(cut for cut in cuts if cut <= bars)
    home = {bars - 1}
    while (earlier := copies.get(min(home))) is not None:
        home.add(earlier)
    closing = draft.cadence_bars | home

    def span(first: int, after: int) -> FormSpan:
        copied, varied = copies.get(first), models.get(first)
        returned = copies.get(first - 1, models.get(first - 1))
        new = copied is None and varied is None
        goes_on = returned is not None and returned + 1 + after - first <= first
        return FormSpan(
            first,
            after - first,
            copied,
            cadence=after - 1 in closing,
            final=after - 1 in home,
            varies=varied,
            avoids=returned + 1 if new and returned is not None and goes_on else None,
        )

    return tuple(span(first, after) for first, after in pairwise(edges))
