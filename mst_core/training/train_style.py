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
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.networks.model import ModelConfig, StyleModel
from mst_core.statistics.fingerprints import Fingerprints
from mst_core.statistics.reference_profiles import ReferenceProfiles
from mst_core.statistics.style_statistics import StyleStatistics, count_statistics
from mst_core.styles import CARD_FILE
from mst_core.training.loop import (
    EpochResult,
    Example,
    LabelledRows,
    TrainConfig,
    encode_tune,
    train,
)
from mst_core.training.losses import CommonLosses, evaluate_model, fit_cache

# What a training leaves of its tunes beside the networks: echoes and neighbours.


def write_reference_data(
    folder: Path, training: Sequence[CorpusTune], unrelated_tunes: Sequence[CorpusTune]
) -> Fingerprints:
    """Write both into a style's folder; ``strangers`` are real tunes that it was not trained on."""
    echoes = Fingerprints.from_tunes(training, unrelated_tunes)
    echoes.save(folder)
    ReferenceProfiles.from_tunes(training).save(folder)
    return echoes


NetworkName = Literal["pitch", "duration"]
NETWORKS: tuple[NetworkName, ...] = ("pitch", "duration")
MIN_TUNES = 20
MIN_EVENTS = 2


@dataclass(frozen=True, slots=True)
class CorpusSplit:
    """A corpus in three parts."""

    training: tuple[CorpusTune, ...]
    validation: tuple[CorpusTune, ...]
    test: tuple[CorpusTune, ...]

    @classmethod
    def by_cluster(cls, tunes: Sequence[CorpusTune]) -> CorpusSplit:
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
class TrainingResult:
    """What a training gave."""

    split: CorpusSplit
    losses: CommonLosses
    """Of the test part, in the common alphabet."""


def train_style(
    name: str,
    tunes: Sequence[CorpusTune],
    models_dir: Path,
    checkpoint_dir: Path,
    *,
    config: TrainConfig,
    model_config: ModelConfig,
    device: torch.device,
    networks: Sequence[NetworkName] = NETWORKS,
    init_from: Path | None = None,
    on_epoch: Callable[[NetworkName, EpochResult], None] = lambda part, epoch: None,
) -> TrainingResult | None:
    """Train a style and write its folder below ``models``; checkpoints lie below ``runs``.

    ``base`` is the folder of another style to go on from, of the same sizes; its durations stand
    in for those that its dictionary lacks. With only one of the two ``parts`` that network is
    trained and kept as a checkpoint, and None comes back: so two processes can share the work, and
    a last call writes the folder.
    """
    usable = [tune for tune in tunes if len(tune.events) >= MIN_EVENTS]
    split = CorpusSplit.by_cluster(usable)
    durations = DurationVocabulary.from_tunes(split.training)
    torch.manual_seed(config.seed)
    pair = StyleModel.build(durations, model_config)
    if init_from:
        pair.load_pretrained(StyleModel.load(init_from, torch.device("cpu")))
        config = replace(
            config, learning_rate=config.learning_rate / 2
        )  # what it knows should not be shaken off
    learn = [encode_tune(tune, durations) for tune in split.training]
    check = [encode_tune(tune, durations) for tune in split.validation]
    (checkpoint_dir / name).mkdir(parents=True, exist_ok=True)
    for part in networks:
        network = pair.pitch_net if part == "pitch" else pair.duration_net
        train(
            network,
            _rows(learn, part),
            _rows(check, part),
            config,
            device=device,
            checkpoint=checkpoint_dir / name / f"{part}.checkpoint",
            on_epoch=lambda epoch, part=part: on_epoch(part, epoch),  # type: ignore[misc]
        )
        fit_cache(network, _rows(check, part), device)
    if set(networks) != set(NETWORKS):
        return None
    folder = models_dir / name
    pair.save(folder)
    habits = count_statistics(split.training, durations)
    habits.save(folder)
    write_reference_data(folder, split.training, (*split.validation, *split.test))
    losses = evaluate_model(pair, split.test, device)
    write_card(folder, habits, split, losses)
    return TrainingResult(split, losses)


def _rows(lessons: Sequence[Example], part: NetworkName) -> list[LabelledRows]:
    if part == "pitch":
        return [(one.pitch_features, one.pitch_targets) for one in lessons]
    return [(one.duration_features, one.duration_targets) for one in lessons]


def write_card(
    folder: Path, statistics: StyleStatistics, split: CorpusSplit, losses: CommonLosses
) -> None:
    """Write ``style.toml``: what people wrote in an older card stays, what is measured is new."""
    path = folder / CARD_FILE
    card: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    card.setdefault("title", folder.name.replace("-", " ").title())
    card.setdefault("description", f"Tunes in the style of {card['title']}")
    card.setdefault("instrument", "piano")
    card.setdefault("program", 0)
    card.setdefault("lowest", statistics.lowest_pitch)
    card.setdefault("highest", statistics.highest_pitch)
    common = {m: h for m, h in statistics.meters.items() if h.n_tunes >= 20} or statistics.meters
    total = sum(habit.n_tunes for habit in common.values())
    meters = card.setdefault("meters", {})
    for meter, habit in common.items():
        entry = meters.setdefault(meter, {})
        entry["weight"] = round(habit.n_tunes / total, 3)
        entry.setdefault("tempo", 110.0)
    for meter in set(meters) - set(common):
        del meters[meter]
    card.setdefault("keys", dict(list(statistics.keys.items())[:8]) or {"C major": 1})
    card.setdefault(
        "forms",
        {"AABB": 1.0} if statistics.repeated_phrase_share > 0.4 else {"AABA": 0.5, "ABAC": 0.5},
    )
    about = card.setdefault("about", {})
    events = sum(len(tune.events) for tune in split.training)
    about |= {
        "trained": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "training_tunes": len(split.training),
        "training_events": events,
        "test_tunes": len(split.test),
        "test_pitch_nats": round(losses.pitch, 3),
        "test_duration_nats": round(losses.duration, 3),
        "tunes_repeating_two_bars": round(statistics.repeated_phrase_share, 3),
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
