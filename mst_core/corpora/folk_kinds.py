"""Kinds of tunes among the folk books, each a style of its own: slow airs, and strathspeys.

An air is a tune of the first part of O'Neill's Music of Ireland, "Airs and Songs", numbers 1 to
625. A strathspey is what its book calls so, or a highland fling, its sister; its mark is the Scotch
snap, a short note on the beat before a long one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from mst_core.corpora.folk_books import FolkTune

LAST_AIR = 625
_AIR = re.compile(r"oneill-\d{4}-\d{4}.*-(\d+)")
_DANCE = re.compile(r"reel|jig|hornpipe|march|slide", re.IGNORECASE)
_STRATHSPEY = re.compile(r"strath?s?p|strathsy|\bfling", re.IGNORECASE)


def is_air(folk: FolkTune) -> bool:
    """Whether it is one of O'Neill's airs and songs."""
    match = _AIR.fullmatch(folk.id)
    danced = _DANCE.search(folk.tune.rhythm or "")
    return match is not None and int(match[1]) <= LAST_AIR and danced is None


def is_strathspey(folk: FolkTune) -> bool:
    """Whether its book calls it a strathspey or a fling."""
    words = f"{folk.tune.title} {folk.tune.rhythm or ''}"
    return _STRATHSPEY.search(words) is not None


KINDS: Mapping[str, Callable[[FolkTune], bool]] = {"air": is_air, "strathspey": is_strathspey}
