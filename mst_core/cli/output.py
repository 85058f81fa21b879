"""Tells what was made, and while it is made how far it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click
import msgspec

from mst_core.jobs import Progress, Receipt

# How far a long measuring is, on a terminal only.


def gauge() -> Callable[[str, float], None]:
    """A line that is written over on standard error, and nothing where that is no terminal."""
    if not sys.stderr.isatty():
        return lambda what, share: None

    def tell(what: str, share: float) -> None:
        click.echo(f"\r{what:<40} {share:>4.0%}", err=True, nl=False)

    return tell


_BAR = 20  # characters
_MASHUP = "mashup"


def describe_receipt(receipt: Receipt) -> str:
    """Say in one line what was made."""
    form = f" ({receipt.form})" if receipt.form else ""
    shares = [
        f"{share:.0%} {what}"
        for share, what in (
            (receipt.rhythm_changed if receipt.rhythm_strength is not None else None, "changed"),
            (
                receipt.pitch_changed if receipt.pitch_strength is not None else None,
                "of the pitches changed",
            ),
        )
        if share is not None
    ]
    change = f" ({', '.join(shares)})" if shares else ""
    sides = _describe_sides(receipt)
    seed = "" if sides == _MASHUP else f", seed {receipt.seed}"  # a mashup leaves nothing to luck
    return (
        f"{sides}: {receipt.bars} bars of {receipt.meter} in {receipt.key}{form}, "
        f"{receipt.notes} notes{change}, {receipt.seconds:.0f} s{seed}"
    )


def _describe_sides(receipt: Receipt) -> str:
    sides = []
    if receipt.pitch_strength is not None:
        melody = f"{receipt.pitch} melody" if receipt.pitch else "the other tune's melody language"
        sides.append((melody, receipt.pitch_strength))
    if receipt.rhythm_strength is not None:
        rhythm = f"{receipt.rhythm} rhythm" if receipt.rhythm else "the other tune's rhythm"
        sides.append((rhythm, receipt.rhythm_strength))
    if not sides:
        if not receipt.pitch:
            return _MASHUP
        if receipt.pitch == receipt.rhythm:
            return receipt.pitch
        return f"{receipt.pitch} melody in {receipt.rhythm} rhythm"
    if len({strength for _, strength in sides}) == 1:
        return f"{' in '.join(side for side, _ in sides)}, strength {sides[0][1]:.2f}"
    return ", ".join(f"{side}, strength {strength:.2f}" for side, strength in sides)


def measured_facts(receipt: Receipt) -> list[str]:
    """Say what was measured of it, a sentence each: repeats, nearness to the target, copies."""
    facts = []
    if receipt.repeats is not None and receipt.repeats[0]:
        there, kept = receipt.repeats
        facts.append(f"Repeated bars kept: {kept} of {there}.")
    if receipt.rank_among is not None:
        passed, others = receipt.rank_among
        facts.append(f"Closer to its target than {passed} of {others} other tunes.")
    if receipt.longest_shared_run is not None:
        usual = (
            ""
            if receipt.p95_shared_run is None
            else f"; unrelated tunes share up to {receipt.p95_shared_run}"
        )
        longest = f"{receipt.longest_shared_run} notes"
        facts.append(f"Longest run shared with a tune of the style: {longest}{usual}.")
    return facts


def print_json(receipt: Receipt, more: Mapping[str, Any]) -> None:
    """Print the receipt and what is known besides as one object, one line."""
    answer = json.dumps(msgspec.to_builtins(receipt) | dict(more), ensure_ascii=False)
    # Bytes: JSON is UTF-8 on any terminal. What a file name has that is no text is escaped.
    click.echo(answer.encode("utf-8", "backslashreplace"))


class ProgressBar:
    """A bar for the eyes of a person; never written into a file."""

    def __init__(self, total: int = 1) -> None:
        self._total = total
        self._done = 0
        self._shown = ""
        self._visible = sys.stderr.isatty()

    def __call__(self, progress: Progress) -> None:
        """Show how far the present rendition is."""
        line = f"{progress.stage:<10} {progress.share:4.0%} "
        if self._total > 1:
            filled = round(_BAR * min(1.0, (self._done + progress.share) / self._total))
            bar = "█" * filled + "·" * (_BAR - filled)
            line = f"{bar} {self._done + 1} of {self._total}: {line}"
        self._show(line)

    def set_done(self, renditions: int) -> None:
        """Note that so many are done, or will never be."""
        self._done = renditions

    def advance(self) -> None:
        """Note that one more is done."""
        self._done += 1

    def clear(self) -> None:
        """Take the bar away, so that a line can be printed in its place."""
        self._show("")
        if self._visible:
            click.echo("\r", err=True, nl=False)

    def _show(self, line: str) -> None:
        if self._visible and line != self._shown:
            click.echo(f"\r{line:<{len(self._shown)}}", err=True, nl=False)
            self._shown = line
