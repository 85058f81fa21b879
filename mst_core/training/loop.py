"""The training loop of one network: batches, optimizer, early stopping, checkpoints.

Windows of similar length share a batch; long solos are cut into windows (their features still look
back over the whole tune). The weights that are kept are an exponential moving average over steps;
the epoch with the lowest validation loss is chosen. The same seed and device give the same weights.
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
"""Target of padded events; they count for no loss."""
NetworkName = Literal["pitch", "duration"]
Precision = Literal["float32", "bfloat16", "float16"]
LabelledRows = tuple[NDArray[np.int16], NDArray[np.int64]]
"""Features ``(T, F)`` and targets ``(T,)`` of one tune for one network, T events."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a network is trained; the defaults are those of the shipped styles."""

    epochs: int = 13
    """Passes over the training tunes, at most."""
    batch_events: int = 4096
    """Events of a step, padding included."""
    min_steps: int = 40
    """Steps of an epoch: a small corpus gets smaller batches, down to ``min_batch_events``."""
    min_batch_events: int = 256
    window_events: int = 128
    """Events of a tune in one row of a batch."""
    length_jitter: float = 8.0
    """Random events added to a window's length before windows are sorted into batches."""
    learning_rate: float = 3e-3
    """Peak rate of AdamW."""
    warmup_share: float = 0.05
    """Share of the training over which the rate rises linearly to its peak."""
    initial_rate_share: float = 0.05
    """Share of the peak rate at the first step."""
    final_rate_share: float = 0.02
    """Share of the peak rate that the cosine schedule ends at."""
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.98)
    """Decay rates of AdamW's moments."""
    gradient_norm: float = 1.0
    """Gradients are clipped to this L2 norm."""
    ema_decay: float = 0.995
    """Share of the moving average of weights that one step keeps."""
    patience: int = 5
    """Epochs without a lower validation loss before training stops."""
    precision: Precision = "float32"
    """Number format of the forward pass; weights are float32."""
    fine_tuning_rate: float = 0.5
    """Factor of the learning rate when training starts from another style's weights."""
    seed: int = 1
    min_tunes: int = 20
    """Tunes that a corpus must have to be trained on."""
    split_parts: int = 20
    """Parts of a corpus: one for validation, one for the test, the others to train on."""
    min_meter_tunes: int = 20
    """Meters of fewer tunes are left out of a style card, unless all are."""
    repetitive_share: float = 0.4
    """With a larger share of tunes that repeat a phrase, a new card's form is AABB."""


MEASURING = TrainConfig(window_events=1_000_000, batch_events=16_384)
"""Batches of whole tunes, for validation."""


def encode_tune(
    tune: CorpusTune, vocabulary: DurationVocabulary
) -> dict[NetworkName, LabelledRows]:
    """Compute the features before, and the target of, each event of a tune, for both networks.

    Args:
        tune: a corpus tune of T events, at least one.
        vocabulary: the V durations of the style; a duration that it lacks counts as the nearest.

    Returns:
        Features ``(T, F)`` and targets ``(T,)`` by network: targets are interval tokens or duration
        tokens. The features of the pitch network are the first columns of the other one's.
    """
    state = MelodyState(TuneHeader.from_tune(tune), vocabulary, start=tune.events[0].onset)
    rows, intervals = [], []
    for event in tune.events:
        interval = state.interval_to(event.pitch)
        rows.append(state.duration_context(state.pitch_context(), interval, event.pitch))
        intervals.append(interval)
        state.append(event.pitch, event.duration)
    features = np.array(rows, dtype=np.int16)
    durations = [vocabulary.token(event.duration) for event in tune.events]
    return {
        "pitch": (features[:, : len(PITCH_FEATURES)], np.array(intervals, dtype=np.int64)),
        "duration": (features, np.array(durations, dtype=np.int64)),
    }


class Batches:
    """One pass over the examples of a network, windows of similar length batched together."""

    def __init__(
        self,
        examples: Sequence[LabelledRows],
        config: TrainConfig,
        shuffle: np.random.Generator | None,
    ) -> None:
        """Cut and group the examples; without ``shuffle`` in a fixed order."""
        self._windows = windows = list(_windows(examples, config.window_events, shuffle))
        budget = config.batch_events
        jitter = np.zeros(len(windows))
        if shuffle:
            smaller = sum(len(features) for features, _ in windows) // config.min_steps
            budget = min(budget, max(config.min_batch_events, smaller))
            jitter = shuffle.random(len(windows)) * config.length_jitter
        lengths = [len(features) for features, _ in windows]
        groups: list[list[int]] = [[]]
        for index in sorted(range(len(windows)), key=lambda index: lengths[index] + jitter[index]):
            if (len(groups[-1]) + 1) * lengths[index] > budget and groups[-1]:
                groups.append([])
            groups[-1].append(index)
        if shuffle:
            shuffle.shuffle(groups)
        self._groups = [group for group in groups if group]

    def __len__(self) -> int:
        """Count the batches."""
        return len(self._groups)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield features ``(B, T, F)`` int32 and targets ``(B, T)`` int64, padded to equal T."""
        for group in self._groups:
            chosen = [self._windows[index] for index in group]
            longest = max(len(features) for features, _ in chosen)
            features = np.zeros((len(group), longest, chosen[0][0].shape[1]), dtype=np.int32)
            targets = np.full((len(group), longest), PAD_TARGET, dtype=np.int64)
            for row, (some_features, some_targets) in enumerate(chosen):
                features[row, : len(some_features)] = some_features
                targets[row, : len(some_features)] = some_targets
            yield torch.from_numpy(features), torch.from_numpy(targets)


def _windows(
    examples: Sequence[LabelledRows], window: int, shuffle: np.random.Generator | None
) -> Iterator[LabelledRows]:
    """Cut long examples into windows; with ``shuffle`` at other places in each epoch."""
    for features, targets in examples:
        shift = int(shuffle.integers(window)) if shuffle and len(features) > window else 0
        cuts = [0, *range(shift or window, len(features), window), len(features)]
        yield from ((features[a:b], targets[a:b]) for a, b in pairwise(cuts) if b > a)


def eval_batches(examples: Sequence[LabelledRows]) -> Batches:
    """Batch uncut examples in a fixed order, to measure with."""
    return Batches(examples, MEASURING, None)


def mean_loss(network: nn.Module, examples: Sequence[LabelledRows], device: torch.device) -> float:
    """Compute the mean cross-entropy in nats an event, without the first event of each tune.

    Args:
        network: maps features (B, T, F) to logits (B, T, V).
        examples: features (T, F) and target tokens (T,) of each tune.
        device: where the network is.

    Returns:
        The mean over all events of all tunes; infinity when there are none.
    """
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
    """Set the processor threads of each training; a small LSTM is fastest with one."""
    torch.set_num_threads(threads)


def default_precision(device: str) -> Precision:
    """Return bfloat16 for a GPU or a processor with instructions for it, else float32."""
    able = torch.cpu.get_capabilities()
    supported = device != "cpu" or able.get("avx512_bf16") or able.get("amx_bf16")
    return "bfloat16" if supported else "float32"


@dataclass(frozen=True, slots=True)
class EpochResult:
    """Losses of one epoch, in nats an event."""

    number: int
    """Counted from 1."""
    training_loss: float
    validation_loss: float
    best_loss: float
    """Lowest validation loss so far."""
    events_per_second: float
    """Of training, without the time of validation."""


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
    """Train one network in place and leave the averaged weights of the best epoch in it.

    Args:
        network: the network to train.
        examples: training tunes.
        validation: tunes whose loss chooses the epoch.
        config: the hyper-parameters.
        device: where to compute.
        checkpoint: a file written after each epoch; a killed training that is called again with the
            same arguments goes on from it with the same result.
        on_epoch: called after each epoch.

    Returns:
        The lowest validation loss, in nats an event.
    """
    torch.manual_seed(config.seed)
    network.to(device)
    average = AveragedModel(network, multi_avg_fn=_ema_update(config.ema_decay))
    optimizer = torch.optim.AdamW(
        network.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        betas=config.betas,
        fused=True,
    )
    scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "float16")
    stateful: dict[str, Any] = {
        "network": network,
        "average": average,
        "optimizer": optimizer,
        "scaler": scaler,
    }
    best_loss, best_weights, epochs_without_gain, first = math.inf, {}, 0, 0
    key = _checkpoint_key(network, examples, config)
    saved = _load_checkpoint(checkpoint, key, device)
    if saved:
        for name, part in stateful.items():
            part.load_state_dict(saved[name])
        best_loss, best_weights = saved["best_loss"], saved["best_weights"]
        epochs_without_gain, first = saved["epochs_without_gain"], saved["epoch"]
    for number in range(first, config.epochs):
        if epochs_without_gain >= config.patience:
            break
        begun = time.perf_counter()
        total, count = _train_epoch(
            network, average, optimizer, scaler, examples, config, number, device
        )
        events_per_second = count / (time.perf_counter() - begun)
        loss = mean_loss(average.module, validation, device)
        epochs_without_gain += 1
        if loss < best_loss:
            best_loss, epochs_without_gain = loss, 0
            best_weights = {
                name: value.clone() for name, value in average.module.state_dict().items()
            }
        on_epoch(EpochResult(number + 1, total / count, loss, best_loss, events_per_second))
        if checkpoint:
            state = {name: part.state_dict() for name, part in stateful.items()} | {
                "best_loss": best_loss,
                "best_weights": best_weights,
                "epochs_without_gain": epochs_without_gain,
                "epoch": number + 1,
                "key": key,
            }
            partial = checkpoint.with_suffix(".part")
            torch.save(state, partial)
            partial.replace(checkpoint)
    network.load_state_dict(best_weights)
    network.eval()
    return best_loss


def _train_epoch(
    network: SequenceNet,
    average: AveragedModel,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    examples: Sequence[LabelledRows],
    config: TrainConfig,
    number: int,
    device: torch.device,
) -> tuple[float, int]:
    """Take one pass over the examples: the sum of the losses in nats, and the count of events."""
    torch.manual_seed(config.seed * 1000 + number)
    batches = Batches(examples, config, np.random.default_rng((config.seed, number)))
    number_format = getattr(torch, config.precision)
    total, count = 0.0, 0
    network.train()
    for step, (features, targets) in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(config, (number + step / len(batches)) / config.epochs)
        wanted = targets.to(device)
        with torch.autocast(device.type, number_format, number_format != torch.float32):
            logits, _ = network(features.to(device))
        loss = nn.functional.cross_entropy(
            logits.float().flatten(0, 1), wanted.flatten(), ignore_index=PAD_TARGET
        )
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(scaler.scale(loss))
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(network.parameters(), config.gradient_norm)
        scaler.step(optimizer)
        scaler.update()
        average.update_parameters(network)
        events = int((wanted != PAD_TARGET).sum())
        total, count = total + float(loss.detach()) * events, count + events
    return total, count


def _learning_rate(config: TrainConfig, done: float) -> float:
    """Linear warm-up times a cosine, at the share ``done`` of the training, 0 to 1."""
    warmup = min(1.0, done * (1 / config.warmup_share) + config.initial_rate_share)
    final = config.final_rate_share
    return (
        config.learning_rate * warmup * (final + (1 - final) * (1 + math.cos(math.pi * done)) / 2)
    )


def _ema_update(decay: float) -> Callable[..., None]:
    """Make the update of a moving average of weights, with a lower decay in the first steps.

    Averages and current weights are lists of tensors of the same shapes, in any number.
    """

    @torch.no_grad()
    def update(averages: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        share = min(decay, (1 + int(steps)) / (10 + int(steps)))
        torch._foreach_lerp_(averages, current, 1 - share)

    return update


def _checkpoint_key(
    network: SequenceNet, examples: Sequence[LabelledRows], config: TrainConfig
) -> str:
    """Hash what a checkpoint belongs to: corpus, size and first weights, and configuration."""
    digest = hashlib.sha256(repr((network.config, config)).encode())
    for weights in network.state_dict().values():
        digest.update(weights.cpu().numpy().tobytes())
    for features, targets in examples:
        digest.update(features.tobytes())
        digest.update(targets.tobytes())
    return digest.hexdigest()


def _load_checkpoint(
    checkpoint: Path | None, key: str, device: torch.device
) -> dict[str, Any] | None:
    """Read a checkpoint; None where there is none, or it belongs to another training."""
    if not checkpoint or not checkpoint.exists():
        return None
    saved: dict[str, Any] = torch.load(checkpoint, map_location=device, weights_only=True)
    return saved if saved.get("key") == key else None
