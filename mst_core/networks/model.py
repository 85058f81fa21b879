"""A style's pair of networks: embeddings, LSTM, head.

After Pati's article and Colombo et al. 2016, "Algorithmic Composition of Melodies with Deep
Recurrent Neural Networks".

The pitch network predicts the next interval, the duration network the next duration given that
interval. Shapes: B tunes, T events, F features, E embedding, H hidden, V vocabulary.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Annotated

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mst_core.corpora.vocabulary import N_PITCH_TOKENS, DurationVocabulary
from mst_core.errors import BrokenStyle
from mst_core.networks.cache import GRADES, KINDS
from mst_core.networks.features import FeatureSpec

LstmState = tuple[Tensor, Tensor]
Ticks = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Size = Annotated[int, msgspec.Meta(ge=1, le=8192)]
Share = Annotated[float, msgspec.Meta(ge=0, le=0.95)]
StoredCacheWeights = tuple[tuple[Share, ...], ...]
EMBEDDING_STD = 0.4
"""Standard deviation of an embedding before training, all features summed."""


class ModelConfig(
    msgspec.Struct,
    frozen=True,
    rename={
        "feature_sizes": "features",
        "vocabulary_size": "vocabulary",
        "projection": "middle",
        "cache_weights": "trust",
    },
):
    """The sizes of one network: enough to build it again from its file."""

    feature_sizes: tuple[int, ...]
    vocabulary_size: int
    embedding: Size = 160
    hidden: Size = 320
    layers: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    dropout: Share = 0.4
    feature_dropout: Share = 0.2
    """Share of features left out at each event in training, so that none is leant on alone."""
    projection: Size = 256
    """Units between what was seen and the head."""
    cache_weights: StoredCacheWeights = ()
    """How much the tune so far counts beside the network; empty: nothing."""


class SequenceNet(nn.Module):
    """Embeddings of all features summed, an LSTM, and a head that also sees the embedding."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.table = nn.EmbeddingBag(sum(config.feature_sizes), config.embedding, mode="sum")
        nn.init.normal_(
            self.table.weight, std=EMBEDDING_STD / max(len(config.feature_sizes), 1) ** 0.5
        )
        self.lstm = nn.LSTM(
            config.embedding,
            config.hidden,
            config.layers,
            batch_first=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        seen = config.hidden + config.embedding
        self.middle = nn.Linear(seen, config.projection)
        self.head = nn.Linear(config.projection + seen, config.vocabulary_size)
        starts = [0, *accumulate(config.feature_sizes)][:-1]
        self.register_buffer("offsets", torch.tensor(starts), persistent=False)
        self.offsets: Tensor

    def forward(self, features: Tensor, state: LstmState | None = None) -> tuple[Tensor, LstmState]:
        """Predict from features (B, T, F); returns logits (B, T, V) and the LSTM's state."""
        b, t, f = features.shape
        rows = (features + self.offsets).view(b * t, f)
        embedded = self.dropout(self.table(rows, per_sample_weights=self._feature_dropout(rows)))
        embedded = embedded.view(b, t, -1)  # (B, T, E)
        hidden, state = self.lstm(embedded, state)  # (B, T, H)
        seen = torch.cat((self.dropout(hidden), embedded), dim=-1)  # (B, T, H + E)
        middle = self.dropout(nn.functional.gelu(self.middle(seen)))  # (B, T, M)
        return self.head(torch.cat((middle, seen), dim=-1)), state

    def _feature_dropout(self, rows: Tensor) -> Tensor | None:
        """Which features count, and for how much: in training some of each row are left out."""
        share = 1 - self.config.feature_dropout
        if not self.training or share == 1:
            return None
        return torch.rand(rows.shape, device=rows.device).lt(share) / share

    def save(self, path: Path, metadata: dict[str, str]) -> None:
        """Write weights and shape as safetensors; ``notes`` go into the file's header.

        Half precision, and a byte for each number of the table, by the largest of its row: a third
        of the size, and the losses of the shipped styles stay the same to three digits.
        """
        header = {"shape": msgspec.json.encode(self.config).decode(), **metadata}
        weights = {name: value.half().contiguous() for name, value in self.state_dict().items()}
        table = self.table.weight.detach()
        largest = table.abs().amax(1, keepdim=True).clamp(min=1e-6)
        weights["table.weight"] = (table / largest * 127).round().to(torch.int8)
        weights["table.largest"] = largest.half()
        save_file(weights, path, header)
        path.chmod(0o644)

    @classmethod
    def load(cls, path: Path, device: torch.device) -> tuple[SequenceNet, dict[str, str]]:
        """Read a network and its header. Raises BrokenStyle when the file is not one."""
        try:
            with safe_open(path, framework="pt", device=str(device)) as file:
                header = file.metadata() or {}
                shape = msgspec.json.decode(header["shape"], type=ModelConfig)
                said = {  # looked at before anything of that size is made
                    "table.weight": [sum(shape.feature_sizes), shape.embedding],
                    f"lstm.weight_hh_l{shape.layers - 1}": [4 * shape.hidden, shape.hidden],
                    "middle.bias": [shape.projection],
                    "head.bias": [shape.vocabulary_size],
                }
                if any(file.get_slice(name).get_shape() != size for name, size in said.items()):
                    raise BrokenStyle(path.parent.name, f"{path.name} is not of the shape it says")
                if [len(row) for row in shape.cache_weights] not in ([], [GRADES] * KINDS):
                    raise BrokenStyle(path.parent.name, f"{path.name}: no such trust in a cache")
                network = cls(shape)
                names = file.keys()  # a method of its own: the file is no mapping
                weights = {name: file.get_tensor(name).float() for name in names}
                if "table.largest" in weights:  # a table of whole halves has none
                    weights["table.weight"] *= weights.pop("table.largest") / 127
                network.load_state_dict(weights)
        except (OSError, SafetensorError, KeyError, RuntimeError, msgspec.MsgspecError) as error:
            raise BrokenStyle(path.parent.name, f"{path.name}: {error}") from error
        return network.to(device).eval(), header


@dataclass(frozen=True, slots=True)
class StyleModel:
    """The two networks of a style with its duration dictionary."""

    pitch_net: SequenceNet
    duration_net: SequenceNet
    vocabulary: DurationVocabulary

    @classmethod
    def build(cls, vocabulary: DurationVocabulary, config: ModelConfig) -> StyleModel:
        """Make an untrained pair; ``sizes`` gives embedding, hidden, layers and dropout."""
        count = len(vocabulary)
        return cls(
            SequenceNet(
                msgspec.structs.replace(
                    config,
                    feature_sizes=FeatureSpec.for_pitch(count).sizes,
                    vocabulary_size=N_PITCH_TOKENS,
                )
            ),
            SequenceNet(
                msgspec.structs.replace(
                    config,
                    feature_sizes=FeatureSpec.for_duration(count).sizes,
                    vocabulary_size=count,
                )
            ),
            vocabulary,
        )

    @torch.no_grad()
    def load_pretrained(self, other: StyleModel) -> None:
        """Take over what another pair has learned, each duration from its nearest over there.

        Raises RuntimeError when the two differ in size.
        """
        tokens = torch.tensor([other.vocabulary.token(ticks) for ticks in self.vocabulary.ticks])
        layouts = (FeatureSpec.for_pitch, FeatureSpec.for_duration)
        pairs = zip(
            (self.pitch_net, self.duration_net),
            (other.pitch_net, other.duration_net),
            layouts,
            strict=True,
        )
        for ours, theirs, layout in pairs:
            weights = dict(theirs.state_dict())
            rows = layout(len(other.vocabulary)).matching_rows(tokens.tolist())
            weights["table.weight"] = weights["table.weight"][rows]
            if ours is self.duration_net:
                for name in ("head.weight", "head.bias"):
                    weights[name] = weights[name][tokens]
            ours.load_state_dict(weights)

    def save(self, folder: Path) -> None:
        """Write both networks below a style's folder."""
        folder.mkdir(parents=True, exist_ok=True)
        notes = {"durations": json.dumps(self.vocabulary.ticks)}
        self.pitch_net.save(folder / "pitch.safetensors", notes)
        self.duration_net.save(folder / "duration.safetensors", notes)

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> StyleModel:
        """Read both networks of a style. Raises BrokenStyle when they do not fit together."""
        pitch, notes = SequenceNet.load(folder / "pitch.safetensors", device)
        duration, others = SequenceNet.load(folder / "duration.safetensors", device)
        try:
            ticks = msgspec.json.decode(notes["durations"], type=tuple[Ticks, ...])
        except (KeyError, msgspec.MsgspecError) as error:
            raise BrokenStyle(folder.name, f"its dictionary of durations: {error}") from error
        count = len(ticks)
        fits = (
            notes["durations"] == others.get("durations")
            and list(ticks) == sorted(set(ticks))
            and (pitch.config.feature_sizes, pitch.config.vocabulary_size)
            == (FeatureSpec.for_pitch(count).sizes, N_PITCH_TOKENS)
            and (duration.config.feature_sizes, duration.config.vocabulary_size)
            == (FeatureSpec.for_duration(count).sizes, count)
        )
        if not fits:
            raise BrokenStyle(folder.name, "its networks and its dictionary do not fit together")
        return cls(pitch, duration, DurationVocabulary(ticks))
