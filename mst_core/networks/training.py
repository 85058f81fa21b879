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
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from mst_core.networks.context import Heading, Line
from mst_core.networks.corpus import CorpusTune
from mst_core.networks.dictionary import DurationDictionary
from mst_core.networks.pair import SequenceNet

PADDING = -100


@dataclass(frozen=True, slots=True)
class Lesson:
    """A tune as rows for one pair: features (T, F) and targets (T,) of both networks."""

    pitch_rows: NDArray[np.int32]
    pitch_targets: NDArray[np.int64]
    duration_rows: NDArray[np.int32]
    duration_targets: NDArray[np.int64]


def lesson(tune: CorpusTune, durations: DurationDictionary) -> Lesson:
    """Walk a tune and write down what each network saw and what came."""
    line = Line(Heading.of(tune), durations, start=tune.events[0].onset)
    pitch_rows, pitch_targets, duration_rows, duration_targets = [], [], [], []
    for event in tune.events:
        context = line.pitch_context()
        interval = line.interval(event.pitch)
        pitch_rows.append(context)
        pitch_targets.append(interval)
        duration_rows.append(line.duration_context(context, interval, event.pitch))
        duration_targets.append(durations.token(event.duration))
        line.write(event.pitch, event.duration)
    return Lesson(
        np.array(pitch_rows, dtype=np.int32),
        np.array(pitch_targets, dtype=np.int64),
        np.array(duration_rows, dtype=np.int32),
        np.array(duration_targets, dtype=np.int64),
    )


@dataclass(frozen=True, slots=True)
class Course:
    """How to train: the defaults are what the shipped styles use."""

    epochs: int = 24
    batch_events: int = 4096
    """Events a step, padding included; fewer in a corpus that would give less than 40 steps."""
    window: int = 128
    """Events of a tune that one step learns from."""
    rate: float = 3e-3
    weight_decay: float = 0.02
    averaging: float = 0.995
    """Share of the moving average of weights that one step keeps."""
    patience: int = 5
    """Epochs without a better validation loss before stopping."""
    seed: int = 1


Rows = tuple[NDArray[np.int32], NDArray[np.int64]]


def batches(
    lessons: Sequence[Rows], course: Course, shuffle: np.random.Generator | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut lessons to windows and put windows of similar length together: (B, T, F), (B, T)."""
    windows: list[Rows] = []
    for rows, targets in lessons:
        shift = int(shuffle.integers(course.window)) if shuffle and len(rows) > course.window else 0
        cuts = [0, *range(shift or course.window, len(rows), course.window), len(rows)]
        windows += [(rows[a:b], targets[a:b]) for a, b in pairwise(cuts) if b > a]
    jitter = shuffle.random(len(windows)) * 8 if shuffle else np.zeros(len(windows))
    order = sorted(range(len(windows)), key=lambda index: len(windows[index][0]) + jitter[index])
    groups: list[list[int]] = [[]]
    budget = course.batch_events
    if shuffle:
        budget = min(budget, max(256, sum(len(rows) for rows, _ in windows) // 40))
    for index in order:
        if (len(groups[-1]) + 1) * len(windows[index][0]) > budget and groups[-1]:
            groups.append([])
        groups[-1].append(index)
    if shuffle:
        shuffle.shuffle(groups)
    for group in groups:
        longest = max(len(windows[index][0]) for index in group)
        width = windows[group[0]][0].shape[1]
        features = np.zeros((len(group), longest, width), dtype=np.int64)
        targets = np.full((len(group), longest), PADDING, dtype=np.int64)
        for place, index in enumerate(group):
            rows, wanted = windows[index]
            features[place, : len(rows)] = rows
            targets[place, : len(rows)] = wanted
        yield torch.from_numpy(features), torch.from_numpy(targets)


def mean_loss(network: nn.Module, lessons: Sequence[Rows], device: torch.device) -> float:
    """Nats an event over whole tunes, the first event left out."""
    network.eval()
    total, count = 0.0, 0
    whole = Course(window=1_000_000, batch_events=16_384)
    with torch.inference_mode():
        for features, targets in batches(lessons, whole, None):
            logits, _ = network(features.to(device))
            wanted = targets[:, 1:].to(device)
            loss = nn.functional.cross_entropy(
                logits[:, 1:].flatten(0, 1), wanted.flatten(), ignore_index=PADDING, reduction="sum"
            )
            total += float(loss)
            count += int((wanted != PADDING).sum())
    return total / max(count, 1)


def use_threads(threads: int) -> None:
    """Let each training take so many threads: a small LSTM is fastest with one."""
    torch.set_num_threads(threads)


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch brought: losses in nats an event."""

    number: int
    training: float
    validation: float
    best: float
    events_a_second: float
    """Learned from, without the time of validation."""


def train(
    network: SequenceNet,
    lessons: Sequence[Rows],
    validation: Sequence[Rows],
    course: Course,
    *,
    device: torch.device,
    checkpoint: Path | None = None,
    tell: Callable[[Epoch], None] = lambda epoch: None,
) -> float:
    """Train one network in place and leave the best averaged weights in it.

    A checkpoint written after each epoch lets a killed training go on with the same result.
    Returns the best validation loss.
    """
    torch.manual_seed(course.seed)
    network.to(device)
    average = AveragedModel(network, multi_avg_fn=_moving_average(course.averaging))
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=course.rate, weight_decay=course.weight_decay, betas=(0.9, 0.98)
    )
    best, best_weights, bad, first = math.inf, {}, 0, 0
    subject = _fingerprint(network, lessons, course)
    saved = _resume(checkpoint, subject, device)
    if saved:
        network.load_state_dict(saved["network"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        best, best_weights, bad = saved["best"], saved["best_weights"], saved["bad"]
        first = saved["epoch"]
    for number in range(first, course.epochs):
        if bad >= course.patience:
            break
        torch.manual_seed(course.seed * 1000 + number)
        shuffle = np.random.default_rng((course.seed, number))
        steps = list(batches(lessons, course, shuffle))
        total, count, begun = 0.0, 0, time.perf_counter()
        network.train()
        for step, (features, targets) in enumerate(steps):
            done = (number + step / len(steps)) / course.epochs
            warm = min(1.0, done * 20 + 0.05)  # the first twentieth rises to the full rate
            for group in optimizer.param_groups:
                group["lr"] = (
                    course.rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
                )
            logits, _ = network(features.to(device))
            wanted = targets.to(device)
            loss = nn.functional.cross_entropy(
                logits.flatten(0, 1), wanted.flatten(), ignore_index=PADDING
            )
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            average.update_parameters(network)
            events = int((wanted != PADDING).sum())
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
        tell(Epoch(number + 1, total / count, found, best, pace))
        if checkpoint:
            partial = checkpoint.with_suffix(".part")
            torch.save(
                {
                    "network": network.state_dict(), "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(), "best": best,
                    "best_weights": best_weights, "bad": bad, "epoch": number + 1,
                    "subject": subject,
                },
                partial,
            )  # fmt: skip
            partial.replace(checkpoint)
    network.load_state_dict(best_weights)
    network.eval()
    return best


def _moving_average(keep: float) -> Callable[..., None]:
    """A moving average that is short at first, so that a short training has one too."""

    @torch.no_grad()
    def update(averages: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        share = min(keep, (1 + int(steps)) / (10 + int(steps)))
        torch._foreach_lerp_(averages, current, 1 - share)

    return update


def _fingerprint(network: SequenceNet, lessons: Sequence[Rows], course: Course) -> str:
    """What a checkpoint belongs to: another corpus, size or course must not go on from it."""
    digest = hashlib.sha256(repr((network.shape, course)).encode())
    for rows, targets in lessons:
        digest.update(rows.tobytes())
        digest.update(targets.tobytes())
    return digest.hexdigest()


def _resume(checkpoint: Path | None, subject: str, device: torch.device) -> dict[str, Any] | None:
    if not checkpoint or not checkpoint.exists():
        return None
    saved: dict[str, Any] = torch.load(checkpoint, map_location=device, weights_only=True)
    return saved if saved.get("subject") == subject else None
