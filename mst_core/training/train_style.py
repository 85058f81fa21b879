"""From corpus files to a style folder: split, train both networks, count habits, write the card.

The split is by cluster, where the corpus names clusters, else by title, so that variants of a tune
stay together: one part in twenty chooses when to stop (validation), another one has the last word
(test), and both are the same at every run.
"""

from __future__ import annotations

import datetime
import re
import tomllib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import DurationDictionary
from mst_core.networks.model import Shape, StylePair
from mst_core.statistics.fingerprints import Echoes
from mst_core.statistics.reference_profiles import Neighbours
from mst_core.statistics.style_statistics import Habits, observe
from mst_core.styles import CARD
from mst_core.training.loop import Course, Epoch, Lesson, Rows, lesson, train
from mst_core.training.losses import Losses, learn_cache, measure

# What a training leaves of its tunes beside the networks: echoes and neighbours.


def leave_traces(
    folder: Path, training: Sequence[CorpusTune], strangers: Sequence[CorpusTune]
) -> Echoes:
    """Write both into a style's folder; ``strangers`` are real tunes that it was not trained on."""
    echoes = Echoes.of(training, strangers)
    echoes.save(folder)
    Neighbours.of(training).save(folder)
    return echoes


Part = Literal["pitch", "duration"]
PARTS: tuple[Part, ...] = ("pitch", "duration")
FEWEST_TUNES = 20
FEWEST_EVENTS = 2


@dataclass(frozen=True, slots=True)
class Split:
    """A corpus in three parts."""

    training: tuple[CorpusTune, ...]
    validation: tuple[CorpusTune, ...]
    test: tuple[CorpusTune, ...]

    @classmethod
    def of(cls, tunes: Sequence[CorpusTune]) -> Split:
        """Divide by cluster, or else by title: variants share a part. No part stays empty."""
        kin: dict[str, list[CorpusTune]] = {}
        for tune in tunes:
            title = re.sub(r"[^a-z]|\bthe\b", "", tune.title.lower()) or tune.id
            kin.setdefault(tune.cluster or title, []).append(tune)
        draws = {name: zlib.crc32(name.encode()) for name in kin}
        parts: dict[str, list[CorpusTune]] = {"training": [], "validation": [], "test": []}
        for name in sorted(kin, key=lambda name: (draws[name] % 20, draws[name])):
            part = {0: "validation", 1: "test"}.get(draws[name] % 20, "training")
            if part == "training" and len(kin) > len(parts):  # so few that none was drawn
                part = next(
                    (part for part in parts if part != "training" and not parts[part]), part
                )
            parts[part] += kin[name]
        places = {id(tune): place for place, tune in enumerate(tunes)}
        for found in parts.values():
            found.sort(key=lambda tune: places[id(tune)])
        return cls(**{name: tuple(found) for name, found in parts.items()})


@dataclass(frozen=True, slots=True)
class Result:
    """What a training gave."""

    split: Split
    losses: Losses
    """Of the test part, in the common alphabet."""


def teach(
    name: str,
    tunes: Sequence[CorpusTune],
    models: Path,
    runs: Path,
    *,
    course: Course,
    sizes: Shape,
    device: torch.device,
    parts: Sequence[Part] = PARTS,
    base: Path | None = None,
    tell: Callable[[Part, Epoch], None] = lambda part, epoch: None,
) -> Result | None:
    """Train a style and write its folder below ``models``; checkpoints lie below ``runs``.

    ``base`` is the folder of another style to go on from, of the same sizes; its durations stand
    in for those that its dictionary lacks. With only one of the two ``parts`` that network is
    trained and kept as a checkpoint, and None comes back: so two processes can share the work, and
    a last call writes the folder.
    """
    usable = [tune for tune in tunes if len(tune.events) >= FEWEST_EVENTS]
    split = Split.of(usable)
    durations = DurationDictionary.of(split.training)
    torch.manual_seed(course.seed)
    pair = StylePair.build(durations, sizes)
    if base:
        pair.adopt(StylePair.load(base, torch.device("cpu")))
        course = replace(course, rate=course.rate / 2)  # what it knows should not be shaken off
    learn = [lesson(tune, durations) for tune in split.training]
    check = [lesson(tune, durations) for tune in split.validation]
    (runs / name).mkdir(parents=True, exist_ok=True)
    for part in parts:
        network = pair.pitch if part == "pitch" else pair.duration
        train(
            network,
            _rows(learn, part),
            _rows(check, part),
            course,
            device=device,
            checkpoint=runs / name / f"{part}.checkpoint",
            tell=lambda epoch, part=part: tell(part, epoch),  # type: ignore[misc]
        )
        learn_cache(network, _rows(check, part), device)
    if set(parts) != set(PARTS):
        return None
    folder = models / name
    pair.save(folder)
    habits = observe(split.training, durations)
    habits.save(folder)
    leave_traces(folder, split.training, (*split.validation, *split.test))
    losses = measure(pair, split.test, device)
    write_card(folder, habits, split, losses)
    return Result(split, losses)


def _rows(lessons: Sequence[Lesson], part: Part) -> list[Rows]:
    if part == "pitch":
        return [(one.pitch_rows, one.pitch_targets) for one in lessons]
    return [(one.duration_rows, one.duration_targets) for one in lessons]


def write_card(folder: Path, habits: Habits, split: Split, losses: Losses) -> None:
    """Write ``style.toml``: what people wrote in an older card stays, what is measured is new."""
    path = folder / CARD
    card: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    card.setdefault("title", folder.name.replace("-", " ").title())
    card.setdefault("description", f"Tunes in the style of {card['title']}")
    card.setdefault("instrument", "piano")
    card.setdefault("program", 0)
    card.setdefault("lowest", habits.lowest)
    card.setdefault("highest", habits.highest)
    common = {m: h for m, h in habits.meters.items() if h.tunes >= 20} or habits.meters
    total = sum(habit.tunes for habit in common.values())
    meters = card.setdefault("meters", {})
    for meter, habit in common.items():
        entry = meters.setdefault(meter, {})
        entry["weight"] = round(habit.tunes / total, 3)
        entry.setdefault("tempo", 110.0)
    for meter in set(meters) - set(common):
        del meters[meter]
    card.setdefault("keys", dict(list(habits.keys.items())[:8]) or {"C major": 1})
    card.setdefault("forms", {"AABB": 1.0} if habits.repeats > 0.4 else {"AABA": 0.5, "ABAC": 0.5})
    about = card.setdefault("about", {})
    events = sum(len(tune.events) for tune in split.training)
    about |= {
        "trained": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "training_tunes": len(split.training),
        "training_events": events,
        "test_tunes": len(split.test),
        "test_pitch_nats": round(losses.pitch, 3),
        "test_duration_nats": round(losses.duration, 3),
        "tunes_repeating_two_bars": round(habits.repeats, 3),
    }
    about.setdefault("corpus", "unknown")
    about.setdefault("terms", "unknown")
    path.write_text(_toml(card), encoding="utf-8")


def _toml(card: dict[str, Any]) -> str:
    """Write a card: plain values first, then tables, each a line or a table of its own."""
    lines = [f"{key} = {_value(value)}" for key, value in card.items() if not _is_table(value)]
    for key, table in card.items():
        if not _is_table(table):
            continue
        lines += ["", f"[{key}]"]
        lines += [f"{_key(name)} = {_value(value)}" for name, value in table.items()]
    return "\n".join(lines) + "\n"


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return repr(value)
