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

from mst_core.statistics.repetition import BARS, PHRASE, form_of, source_of

PART = 2 * PHRASE
"""Bars of a part of a dance."""
FITTING_SECTIONS = (16, 8, 4)
"""Lengths of sections, in bars, that make sense to an ear."""
OTHER_FORMS = {
    1: "A",
    2: "AA",
    3: "AAB",
    4: "AABA",
    5: "AABBA",
    6: "AABBCC",
    7: "AABBCCA",
    8: "AABBAABB",
}
RHYME = 0.6
"""How often the end of the tune is the end of its first part again."""
USUAL_RETURNS = {
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
class Span:
    """Bars that are written in one go, or copied."""

    first: int
    """Counted from 0."""
    bars: int
    source: int | None = None
    """The first bar that it copies; None when it is new."""
    closes: bool = False
    """Whether it ends a part, on a stable pitch."""
    home: bool = False
    """Whether the tune ends with it, or with a copy of it: the stable pitch is the tonic."""
    model: int | None = None
    """The first bar that it varies, for a new span that is to sound like earlier bars."""
    shunned: int | None = None
    """The first bar that it must not repeat: what came before it returns, and goes on elsewhere."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A form over so many bars."""

    form: str
    sections: tuple[int, ...]
    """The bars where sections begin."""
    bars: int
    spans: tuple[Span, ...]


@dataclass(slots=True)
class _Draft:
    """What is decided of each bar so far."""

    copies: dict[int, int]
    models: dict[int, int]
    closing: set[int]

    def lay(self, first: int, signs: str, homes: tuple[int, ...]) -> None:
        """Lay a stretch of a pattern from a bar on; ``homes[part]`` is where a part stands."""
        for bar, sign in enumerate(signs, start=first):
            found = source_of(sign)
            if found is None:
                continue
            source, varied = homes[found[0] // PART] + found[0] % PART, found[1]
            if source < bar:
                (self.models if varied else self.copies)[bar] = source


def plan_form(
    bars: int,
    forms: Mapping[str, float],
    rng: np.random.Generator,
    returns: Mapping[str, int] | None = None,
    *,
    varied: bool = False,
) -> Plan:
    """Draw a form by its weight and lay it out over the bars.

    ``returns`` are the style's patterns with their counts: sixteen bars get one of those whose
    phrases return, so that a form is heard. When ``varied``, the usual patterns serve, and what
    would return note for note is varied instead.
    """
    wanted = _draw(forms, rng)
    draft = _Draft({}, {}, set())
    patterns = USUAL_RETURNS if varied or not returns else returns
    alike = {
        word: count
        for word, count in patterns.items()
        if form_of(word) == wanted
        or (patterns is returns and len(set(form_of(word))) < BARS // PHRASE)
    }
    if bars == BARS and alike:
        pattern = _draw(alike, rng)
        form, sizes = form_of(pattern), [PHRASE] * (BARS // PHRASE)
        draft.lay(0, pattern, (0, PART))
        draft.closing |= {PART - 1, BARS - 1}
    else:
        form, sizes = _sizes(bars, wanted)
        _lay_sections(draft, form, sizes, patterns, rng)
    sections = tuple(int(start) for start in np.cumsum([0, *sizes[:-1]]))
    if varied:
        draft.models |= draft.copies
        draft.copies.clear()
        draft.closing = {bars - 1}  # a solo's phrases end where they like
    return Plan(form, sections, bars, _spans(bars, set(sections), draft))


def _draw(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    names = sorted(weights)
    shares = np.array([weights[name] for name in names], dtype=float)
    return str(rng.choice(names, p=shares / shares.sum()))


def _lay_sections(
    draft: _Draft, form: str, sizes: list[int], patterns: Mapping[str, int],
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Let whole sections return, and bars within the new ones as a pattern has it."""
    pattern = _draw(patterns, rng)
    bars = sum(sizes)
    first_of: dict[str, int] = {}
    start = 0
    for index, (letter, size) in enumerate(zip(form, sizes, strict=True)):
        original = first_of.setdefault(letter, start)
        again = original < start
        if again:
            answer = size if size > PHRASE else size - 1  # short parts get a second ending
            draft.copies |= {start + bar: original + bar for bar in range(answer)}
        elif size == BARS:
            draft.lay(start, pattern, (start, start + PART))
            draft.closing.add(start + PART - 1)
        elif size == PART:
            opening = len(first_of) == 1
            draft.lay(start, pattern[:PART] if opening else pattern[PART:], (0, start))
        if again or size > PHRASE or index == len(form) - 1:
            draft.closing.add(start + size - 1)
        start += size
    final, first_close = bars - 1, min(draft.closing)
    new = final not in draft.copies and first_close not in draft.copies
    if len(form) > 2 and rng.random() < RHYME and first_close < final and new:
        draft.copies[final] = first_close


def _sizes(bars: int, form: str) -> tuple[str, list[int]]:
    """Give each section of a form its bars, or find a form that the bars allow."""
    size, odd = divmod(bars, len(form))
    if not odd and size in FITTING_SECTIONS:
        return form, [size] * len(form)
    for size in FITTING_SECTIONS:
        count, odd = divmod(bars, size)
        if not odd and 1 < count < 9 and size <= PART:
            return OTHER_FORMS[count], [size] * count
    sizes = [PHRASE] * (bars // PHRASE)
    rest = bars % PHRASE
    if rest > 1 or not sizes:
        sizes.append(rest)
    else:
        sizes[-1] += rest
    letters = "AABBCCDDEEFFGGHH"[: len(sizes)]
    if len(sizes) > 1 and sizes[-1] != PHRASE:
        letters = letters[:-1] + chr(ord(max(letters[:-1])) + 1)
    return letters, sizes


def _spans(bars: int, sections: set[int], draft: _Draft) -> tuple[Span, ...]:
    """Cut where a return begins or ends, on either side, at sections and at every phrase."""
    cuts = {0, bars} | sections
    for section in sections:
        cuts |= set(range(section, bars, PHRASE))
    copies = draft.copies
    models = {bar: source for bar, source in draft.models.items() if bar not in copies}
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
    closing = draft.closing | home

    def span(first: int, after: int) -> Span:
        copied, varied = copies.get(first), models.get(first)
        returned = copies.get(first - 1, models.get(first - 1))
        new = copied is None and varied is None
        goes_on = returned is not None and returned + 1 + after - first <= first
        return Span(
            first,
            after - first,
            copied,
            closes=after - 1 in closing,
            home=after - 1 in home,
            model=varied,
            shunned=returned + 1 if new and returned is not None and goes_on else None,
        )

    return tuple(span(first, after) for first, after in pairwise(edges))
