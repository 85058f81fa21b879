"""Training a style's pair: corpus to rows of features, one loop, early stopping, checkpoints.

Tunes of similar length share a batch, long solos are cut into windows (the look back of their
features still sees the whole tune), and the weights that are kept are a moving average over steps,
which a validation part of the corpus chooses. The same seed and device give the same weights.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from mst_core.corpora.tunes import CorpusTune
from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.features import PITCH_FEATURES
from mst_core.networks.model import SequenceNet

PAD_TARGET = -100
Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Example:
    """A tune as rows for one pair: features (T, F) and targets (T,) of both networks."""

    duration_features: NDArray[np.int16]
    pitch_targets: NDArray[np.int64]
    duration_targets: NDArray[np.int64]

    @property
    def pitch_features(self) -> NDArray[np.int16]:
        """What the pitch network saw: the duration network's rows begin with it."""
        return self.duration_features[:, : len(PITCH_FEATURES)]


def encode_tune(tune: CorpusTune, vocabulary: DurationVocabulary) -> Example:
    """Walk a tune and write down what each network saw and what came."""
    line = MelodyState(TuneHeader.from_tune(tune), vocabulary, start=tune.events[0].onset)
    rows, intervals = [], []
    for event in tune.events:
        interval = line.interval_to(event.pitch)
        rows.append(line.duration_context(line.pitch_context(), interval, event.pitch))
        intervals.append(interval)
        line.append(event.pitch, event.duration)
    return Example(
        np.array(rows, dtype=np.int16),
        np.array(intervals, dtype=np.int64),
        np.array([vocabulary.token(event.duration) for event in tune.events], dtype=np.int64),
    )


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to train: the defaults are what the shipped styles use."""

    epochs: int = 13
    batch_events: int = 4096
    """Events a step, padding included; fewer in a corpus that would give less than 40 steps."""
    window_events: int = 128
    """Events of a tune that one step learns from."""
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    ema_decay: float = 0.995
    """Share of the moving average of weights that one step keeps."""
    patience: int = 5
    """Epochs without a better validation loss before stopping."""
    precision: Precision = "float32"
    """What the networks compute in; weights are always kept whole."""
    seed: int = 1


LabelledRows = tuple[NDArray[np.int16], NDArray[np.int64]]


class Batches:
    """One pass over lessons: windows of similar length together, each batch made when it is due."""

    def __init__(
        self,
        lessons: Sequence[LabelledRows],
        course: TrainConfig,
        shuffle: np.random.Generator | None,
    ) -> None:
        self._windows = windows = list(_windows(lessons, course.window_events, shuffle))
        budget = course.batch_events
        jitter = np.zeros(len(windows))
        if shuffle:
            budget = min(budget, max(256, sum(len(rows) for rows, _ in windows) // 40))
            jitter = shuffle.random(len(windows)) * 8
        lengths = [len(rows) for rows, _ in windows]
        groups: list[list[int]] = [[]]
        for index in sorted(range(len(windows)), key=lambda index: lengths[index] + jitter[index]):
            if (len(groups[-1]) + 1) * lengths[index] > budget and groups[-1]:
                groups.append([])
            groups[-1].append(index)
        if shuffle:
            shuffle.shuffle(groups)
        self._groups = [group for group in groups if group]

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Features (B, T, F) and targets (B, T)."""
        for group in self._groups:
            chosen = [self._windows[index] for index in group]
            longest = max(len(rows) for rows, _ in chosen)
            features = np.zeros((len(group), longest, chosen[0][0].shape[1]), dtype=np.int32)
            targets = np.full((len(group), longest), PAD_TARGET, dtype=np.int64)
            for place, (rows, wanted) in enumerate(chosen):
                features[place, : len(rows)] = rows
                targets[place, : len(rows)] = wanted
            yield torch.from_numpy(features), torch.from_numpy(targets)


def _windows(
    lessons: Sequence[LabelledRows], window: int, shuffle: np.random.Generator | None
) -> Iterator[LabelledRows]:
    """Cut long lessons, in training at other places in each epoch."""
    for rows, targets in lessons:
        shift = int(shuffle.integers(window)) if shuffle and len(rows) > window else 0
        cuts = [0, *range(shift or window, len(rows), window), len(rows)]
        yield from ((rows[a:b], targets[a:b]) for a, b in pairwise(cuts) if b > a)


def eval_batches(examples: Sequence[LabelledRows]) -> Batches:
    """Batches of uncut lessons in a fixed order, to measure with."""
    return Batches(examples, TrainConfig(window_events=1_000_000, batch_events=16_384), None)


def mean_loss(network: nn.Module, examples: Sequence[LabelledRows], device: torch.device) -> float:
    """Nats an event over whole tunes, the first event left out."""
    network.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for features, targets in eval_batches(examples):
            logits, _ = network(features.to(device))
            wanted = targets[:, 1:].to(device)
            loss = nn.functional.cross_entropy(
                logits[:, 1:].flatten(0, 1),
                wanted.flatten(),
                ignore_index=PAD_TARGET,
                reduction="sum",
            )
            total += float(loss)
            count += int((wanted != PAD_TARGET).sum())
    return total / count if count else math.inf


def set_threads(threads: int) -> None:
    """Let each training take so many threads: a small LSTM is fastest with one."""
    torch.set_num_threads(threads)


def default_precision(device: str) -> Precision:
    """What a device learns fastest in: half as many bits where it is made for them."""
    able = torch.cpu.get_capabilities()
    made_for_it = device != "cpu" or able.get("avx512_bf16") or able.get("amx_bf16")
    return "bfloat16" if made_for_it else "float32"


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What one epoch brought: losses in nats an event."""

    number: int
    training_loss: float
    validation_loss: float
    best_loss: float
    events_per_second: float
    """Learned from, without the time of validation."""


def train(
    network: SequenceNet,
    examples: Sequence[LabelledRows],
    validation: Sequence[LabelledRows],
    config: TrainConfig,
    *,
    device: torch.device,
    checkpoint: Path | None = None,
    on_epoch: Callable[[EpochResult], None] = lambda epoch: None,
) -> float:
    """Train one network in place and leave the best averaged weights in it.

    A checkpoint written after each epoch lets a killed training go on with the same result.
    Returns the best validation loss.
    """
    torch.manual_seed(config.seed)
    network.to(device)
    average = AveragedModel(network, multi_avg_fn=_ema_update(config.ema_decay))
    optimizer = torch.optim.AdamW(
        network.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        betas=(0.9, 0.98),
        fused=True,
    )
    number_form = getattr(torch, config.precision)
    scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "float16")
    best, best_weights, bad, first = math.inf, {}, 0, 0
    subject = _checkpoint_key(network, examples, config)
    saved = _load_checkpoint(checkpoint, subject, device)
    if saved:
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        scaler.load_state_dict(saved["scaler"])
        best, best_weights, bad = saved["best"], saved["best_weights"], saved["bad"]
        first = saved["epoch"]
    for number in range(first, config.epochs):
        if bad >= config.patience:
            break
        torch.manual_seed(config.seed * 1000 + number)
        shuffle = np.random.default_rng((config.seed, number))
        steps = Batches(examples, config, shuffle)
        total, count, begun = 0.0, 0, time.perf_counter()
        network.train()
        for step, (features, targets) in enumerate(steps):
            done = (number + step / len(steps)) / config.epochs
            warm = min(1.0, done * 20 + 0.05)  # the first twentieth rises to the full rate
            for group in optimizer.param_groups:
                group["lr"] = (
                    config.learning_rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
                )
            wanted = targets.to(device)
            with torch.autocast(device.type, number_form, number_form != torch.float32):
                logits, _ = network(features.to(device))
            loss = nn.functional.cross_entropy(
                logits.float().flatten(0, 1), wanted.flatten(), ignore_index=PAD_TARGET
            )
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(scaler.scale(loss))
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            average.update_parameters(network)
            events = int((wanted != PAD_TARGET).sum())
            total, count = total + float(loss.detach()) * events, count + events
        pace = count / (time.perf_counter() - begun)
        found = mean_loss(average.module, validation, device)
        if found < best:
            best, bad = found, 0
            best_weights = {
                name: value.clone() for name, value in average.module.state_dict().items()
            }
        else:
            bad += 1
        on_epoch(EpochResult(number + 1, total / count, found, best, pace))
        if checkpoint:
            partial = checkpoint.with_suffix(".part")
            torch.save(
                {
                    "network": network.state_dict(),
                    "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "best": best,
                    "scaler": scaler.state_dict(),
                    "best_weights": best_weights,
                    "bad": bad,
                    "epoch": number + 1,
                    "subject": subject,
                },
                partial,
            )
            partial.replace(checkpoint)
    network.load_state_dict(best_weights)
    network.eval()
    return best


def _ema_update(keep: float) -> Callable[..., None]:
    """A moving average that is short at first, so that a short training has one too."""

    @torch.no_grad()
    def update(averages: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        share = min(keep, (1 + int(steps)) / (10 + int(steps)))
        torch._foreach_lerp_(averages, current, 1 - share)

    return update


def _checkpoint_key(
    network: SequenceNet, lessons: Sequence[LabelledRows], course: TrainConfig
) -> str:
    """What a checkpoint belongs to: another corpus, size or course must not go on from it."""
    digest = hashlib.sha256(repr((network.config, course)).encode())
    for rows, targets in lessons:
        digest.update(rows.tobytes())
        digest.update(targets.tobytes())
    return digest.hexdigest()


def _load_checkpoint(
    checkpoint: Path | None, subject: str, device: torch.device
) -> dict[str, Any] | None:
    if not checkpoint or not checkpoint.exists():
        return None
    saved: dict[str, Any] = torch.load(checkpoint, map_location=device, weights_only=True)
    return saved if saved.get("subject") == subject else None
