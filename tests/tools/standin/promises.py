"""The promises of the bot, how often each was tried, and how often it was broken."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.tools.standin.exchange import Exchange

PUBLIC_FAILURE = "could not be made"
"""What a public message says where nobody knows whether the private refusal arrived."""
UNHEARD_S = 8.0
"""Seconds after which Discord has long shown that a command was not acknowledged."""


@dataclass
class Count:
    """A row of the table."""

    tried: int = 0
    failed: int = 0
    details: list[str] = field(default_factory=list)
    skipped: str = ""
    """Why it could not be tried here."""

    def add(self, *, failed: bool = False, detail: object = "") -> None:
        """Count one attempt.

        Args:
            failed: Whether the promise was broken.
            detail: What happened, when it was.
        """
        self.tried += 1
        if failed:
            self.failed += 1
            self.details.append(str(detail))

    def add_exchanges(self, exchanges: Iterable[Exchange]) -> None:
        """Count commands that must each have a reply, and one outcome if they are acknowledged."""
        for one in exchanges:
            broken = judge(one)
            if not broken and not one.acknowledged and not one.private:
                broken = "left without a reply"
            self.add(failed=bool(broken), detail=f"{broken}: {one}")


def judge(exchange: Exchange) -> str:
    """Return the broken promise of an exchange that has ended; empty when none is."""
    closed = PUBLIC_FAILURE in exchange.message
    if exchange.results + exchange.refusals == 0 and not closed:
        return "never told" if exchange.acknowledged else ""
    if exchange.results > 1 or (exchange.results and exchange.refusals):
        return "answered twice"
    if exchange.refusals > 1:
        return "refused twice"
    if exchange.refusals and exchange.acknowledged and not (exchange.deleted or closed):
        return "still loading, though refused"
    return ""


def has_ended(exchange: Exchange) -> bool:
    """Return whether its user was told an outcome, or was never acknowledged."""
    settled = bool(exchange.results + exchange.refusals) or PUBLIC_FAILURE in exchange.message
    unheard = not exchange.acknowledged and time.monotonic() - exchange.sent_at > UNHEARD_S
    return settled or unheard


def report(text: str) -> None:
    """Print a line with the time of day at once, for those who watch."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def print_table(rows: Mapping[str, Count]) -> None:
    """Print the table, and every broken promise after it."""
    width = max(map(len, rows))
    sys.stdout.write(f"\n{'promise':{width}}  tried  failed\n")
    for promise, count in rows.items():
        figures = count.skipped or f"{count.tried:5}  {count.failed:6}"
        sys.stdout.write(f"{promise:{width}}  {figures}\n")
    for promise, count in rows.items():
        if count.failed:
            sys.stdout.write("\n".join(["", f"{promise}:", *count.details, ""]))
