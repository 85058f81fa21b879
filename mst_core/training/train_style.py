"""From corpus tunes to a style folder: split, train both networks, count statistics, write a card.

The split is by cluster of variants: one part in twenty is for validation (it chooses when to stop),
another one for the test (it measures the result), and both are the same in every run.
"""

from __future__ import annotations

import datetime
import tomllib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w
import torch

from mst_core.corpora.tunes import CorpusTune, title_key
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.networks.model import ModelConfig, StyleModel
from mst_core.statistics.fingerprints import Fingerprints
from mst_core.statistics.reference_profiles import ReferenceProfiles
from mst_core.statistics.style_statistics import (
    StyleStatistics,
    count_statistics,
    recount_bar_rhythms,
)
from mst_core.styles import CARD_FILE
from mst_core.training.loop import EpochResult, NetworkName, TrainConfig, encode_tune, train
from mst_core.training.losses import StyleLosses, evaluate_model, fit_cache

NETWORKS: tuple[NetworkName, ...] = ("pitch", "duration")
MIN_EVENTS = 2
"""Tunes with fewer events are left out."""


@dataclass(frozen=True, slots=True)
class CorpusSplit:
    """A corpus in three parts, each in the order of the corpus."""

    training: tuple[CorpusTune, ...]
    validation: tuple[CorpusTune, ...]
    test: tuple[CorpusTune, ...]

    @classmethod
    def by_cluster(
        cls, tunes: Sequence[CorpusTune], config: TrainConfig = TrainConfig()
    ) -> CorpusSplit:
        """Divide by a hash of the cluster, or of the title where no cluster is known.

        Variants are in one part. With three clusters or more no part is empty.

        Args:
            tunes: a corpus.
            config: into how many parts it is cut, of which two are not trained on.
        """
        clusters: dict[str, list[CorpusTune]] = {}
        for tune in tunes:
            clusters.setdefault(_cluster_name(tune), []).append(tune)
        draws = {name: zlib.crc32(name.encode()) for name in clusters}
        parts: dict[str, list[CorpusTune]] = {"training": [], "validation": [], "test": []}
        for name in sorted(
            clusters, key=lambda name: (draws[name] % config.split_parts, draws[name])
        ):
            part = {0: "validation", 1: "test"}.get(draws[name] % config.split_parts, "training")
            if part == "training" and len(clusters) > len(parts):  # a small corpus may draw none
                part = next(
                    (part for part in parts if part != "training" and not parts[part]), part
                )
            parts[part] += clusters[name]
        order = {id(tune): index for index, tune in enumerate(tunes)}
        return cls(
            **{
                name: tuple(sorted(found, key=lambda tune: order[id(tune)]))
                for name, found in parts.items()
            }
        )


def _cluster_name(tune: CorpusTune) -> str:
    """Return what variants of a tune share: the cluster, or the title where no cluster is known."""
    return tune.cluster or title_key(tune)


def train_style(
    name: str,
    tunes: Sequence[CorpusTune],
    models_dir: Path,
    checkpoint_dir: Path,
    *,
    config: TrainConfig = TrainConfig(),
    model_config: ModelConfig = ModelConfig(),
    device: torch.device = torch.device("cpu"),
    networks: Sequence[NetworkName] = NETWORKS,
    init_from: Path | None = None,
    pretraining_tunes: Sequence[CorpusTune] = (),
    pretraining_epochs: int = 0,
    on_epoch: Callable[[NetworkName, EpochResult], None] = lambda network, epoch: None,
) -> tuple[CorpusSplit, StyleLosses] | None:
    """Train a style and write its folder ``models_dir/name``.

    Args:
        name: of the style and its folder.
        tunes: the corpus; it is divided here.
        models_dir: where style folders are.
        checkpoint_dir: checkpoints are written to ``checkpoint_dir/name``.
        config: hyper-parameters of the training.
        model_config: sizes of both networks; features and vocabulary size are filled in here.
        device: where to compute.
        networks: which of the two networks to train, so that two processes can share the work.
        init_from: folder of a style with the same sizes whose weights training starts from.
        pretraining_tunes: more tunes, such as another reading of the corpus or a related style,
            which are trained on before, together with the corpus; without variants of the tunes
            for validation and test.
        pretraining_epochs: passes over both, at most.
        on_epoch: called after each epoch; those of the pretraining are counted, too.

    Returns:
        How the corpus was divided, and the losses on its test part. None when only one network was
        trained: its weights are in the checkpoint, and a last call with both writes the folder.
    """
    split = CorpusSplit.by_cluster(
        [tune for tune in tunes if len(tune.events) >= MIN_EVENTS], config
    )
    vocabulary = DurationVocabulary.from_tunes(split.training)
    torch.manual_seed(config.seed)
    model = StyleModel.build(vocabulary, model_config)
    if init_from:
        model.load_pretrained(StyleModel.load(init_from, torch.device("cpu")))
        # A lower rate, so that what was learned is kept.
        config = replace(config, learning_rate=config.learning_rate * config.fine_tuning_rate)
    examples = [encode_tune(tune, vocabulary) for tune in split.training]
    validation = [encode_tune(tune, vocabulary) for tune in split.validation]
    phases = [("", examples, config, pretraining_epochs)]
    if pretraining_epochs:
        kept_back = {_cluster_name(tune) for tune in (*split.validation, *split.test)}
        more = [
            encode_tune(tune, vocabulary)
            for tune in pretraining_tunes
            if len(tune.events) >= MIN_EVENTS and _cluster_name(tune) not in kept_back
        ]
        first = replace(config, epochs=pretraining_epochs)
        phases.insert(0, ("-pretraining", [*more, *examples], first, 0))
    (checkpoint_dir / name).mkdir(parents=True, exist_ok=True)
    for part in networks:
        network = model.pitch_net if part == "pitch" else model.duration_net
        validation_rows = [example[part] for example in validation]
        for suffix, some, settings, before in phases:

            def count_epoch(
                epoch: EpochResult, part: NetworkName = part, before: int = before
            ) -> None:
                on_epoch(part, replace(epoch, number=before + epoch.number))

            train(
                network,
                [example[part] for example in some],
                validation_rows,
                settings,
                device=device,
                checkpoint=checkpoint_dir / name / f"{part}{suffix}.checkpoint",
                on_epoch=count_epoch,
            )
        fit_cache(network, validation_rows, device)
    if set(networks) != set(NETWORKS):
        return None
    folder = models_dir / name
    model.save(folder)
    statistics = count_statistics(split.training, vocabulary)
    statistics.save(folder)
    write_reference_data(folder, split)
    losses = evaluate_model(model, split.test, device, name)
    write_card(folder, statistics, split, losses, config)
    return split, losses


def write_reference_data(folder: Path, split: CorpusSplit) -> Fingerprints:
    """Write what is kept of the training tunes themselves into a style folder.

    These are the fingerprints, the reference profiles, and the whole-bar rhythms in the statistics.

    Args:
        folder: the style folder, which must be there.
        split: the corpus; its validation and test parts give the percentiles of shared runs.

    Returns:
        The fingerprints that were written.
    """
    fingerprints = Fingerprints.from_tunes(split.training, (*split.validation, *split.test))
    fingerprints.save(folder)
    ReferenceProfiles.from_tunes(split.training).save(folder)
    recount_bar_rhythms(StyleStatistics.load(folder), split.training).save(folder)
    return fingerprints


def write_card(
    folder: Path,
    statistics: StyleStatistics,
    split: CorpusSplit,
    losses: StyleLosses,
    config: TrainConfig = TrainConfig(),
) -> None:
    """Write ``style.toml``: values that people wrote are kept, measured ones are renewed.

    Args:
        folder: the style folder; its name is the style's name.
        statistics: counts of the training tunes.
        split: the corpus; only its sizes are written.
        losses: of the networks on the test part, in nats an event.
        config: which meters and which forms a new card gets.
    """
    path = folder / CARD_FILE
    card: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    card.setdefault("title", folder.name.replace("-", " ").title())
    card.setdefault("description", f"Tunes in the style of {card['title']}")
    card.setdefault("instrument", "piano")
    card.setdefault("program", 0)
    card.setdefault("lowest", statistics.lowest_pitch)
    card.setdefault("highest", statistics.highest_pitch)
    common = {
        m: s for m, s in statistics.meters.items() if s.n_tunes >= config.min_meter_tunes
    } or statistics.meters
    total = sum(meter.n_tunes for meter in common.values())
    meters = card.setdefault("meters", {})
    for name, meter in common.items():
        entry = meters.setdefault(name, {})
        entry["weight"] = round(meter.n_tunes / total, 3)
        entry.setdefault("tempo", 110.0)
    for name in set(meters) - set(common):
        del meters[name]
    card.setdefault("keys", dict(list(statistics.keys.items())[:8]) or {"C major": 1})
    repetitive = statistics.repeated_phrase_share > config.repetitive_share
    card.setdefault("forms", {"AABB": 1.0} if repetitive else {"AABA": 0.5, "ABAC": 0.5})
    about = card.setdefault("about", {})
    about |= {
        "trained": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "training_tunes": len(split.training),
        "training_events": sum(len(tune.events) for tune in split.training),
        "test_tunes": len(split.test),
        "test_pitch_nats": round(losses.pitch, 3),
        "test_duration_nats": round(losses.duration, 3),
        "tunes_repeating_two_bars": round(statistics.repeated_phrase_share, 3),
    }
    about.setdefault("corpus", "unknown")
    about.setdefault("terms", "unknown")
    path.write_text(tomli_w.dumps(card), encoding="utf-8")
