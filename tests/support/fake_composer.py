"""A composer without networks for the tests of studio, engine and command line.

It composes scales. Some of its styles misbehave in the way that their names say.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

from mst_core.errors import NoSuchTune
from mst_core.generation.composition import Composition, SideResult
from mst_core.music import Key, Melody, Meter, Note
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Compose, Mashup, Transfer
from mst_core.styles import StyleCard, StyleMeter

CARD = StyleCard(
    title="Scales",
    description="Up and down.",
    instrument="a tin whistle",
    program=78,
    lowest=60,
    highest=84,
    meters={
        "4/4": StyleMeter(weight=0.6, tempo=120.0, name="reel"),
        "6/8": StyleMeter(weight=0.4, tempo=150.0, name="jig"),
    },
    keys={"D": 1.0},
    forms={"AABB": 1.0},
)
STYLES = (
    "folk",
    "jazz",
    "printing",
    "unwilling",
    "failing",
    "crashing",
    "hanging",
    "frozen",
    "patient",
)
SHARES = 20


class FakeComposer:
    """Composes at once, unless the style misbehaves."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self.styles = dict.fromkeys(STYLES, CARD)

    def compose(self, request: Compose, on_progress: Callable[[float], None]) -> Composition:
        """Compose a scale in eighth notes that depends on the seed."""
        match request.pitch:
            case "printing":
                print("a library prints this")  # noqa: T201
                os.write(1, b"and one in C writes this\n")
            case "unwilling":
                raise NoSuchTune("it is never content")
            case "failing":
                raise ZeroDivisionError("a bug in the composer")
            case "crashing":
                os._exit(3)
            case "hanging":
                while True:
                    time.sleep(1)
            case "frozen":
                ctypes.PyDLL(None).sleep(3600)  # holds the interpreter lock
            case "patient":  # until the test creates the file
                while not (self._models / "go").exists():
                    on_progress(0.0)
                    time.sleep(0.01)
        for step in range(SHARES):
            on_progress((step + 1) / SHARES)
        return Composition(write_scale(request), form="AABB", swing=0.5, program=78)

    def transfer(
        self,
        request: Transfer,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        """Return the tune unchanged and report that half of its rhythm was changed."""
        on_progress(1.0)
        melody = scores[request.source].melody
        return Composition(melody, form="", swing=0.5, program=78, rhythm=SideResult(0.5))

    def mashup(
        self,
        request: Mashup,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        """Return the first tune unchanged."""
        on_progress(1.0)
        return Composition(scores[request.source].melody, form="", swing=0.5, program=78)


def write_scale(request: Compose) -> Melody:
    """Return the scale for a request, in eighth notes."""
    meter = Meter.parse(request.meter or "4/4")
    key = Key.parse(request.key or "D")
    eighth = Fraction(1, 2)
    notes = tuple(
        Note(place * eighth, eighth, 62 + key.scale[(place * (1 + request.seed % 6)) % 7])
        for place in range(int(request.bars * meter.bar_length / eighth))
    )
    return Melody(notes, meter, key, request.tempo or 120.0, request.bars)
