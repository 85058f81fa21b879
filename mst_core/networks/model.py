"""The two networks of a style: embeddings, LSTM and head.

After Pati's article and Colombo et al. 2016, "Algorithmic Composition of Melodies with Deep
Recurrent Neural Networks": the pitch network predicts the next interval, the duration network the
next duration given that interval.

Shapes: B melodies, T events, F features, E embedding width, H hidden width, P projection width,
V vocabulary size, R embedding rows (the sum of the feature sizes).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch
from msgspec import Meta
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mst_core.corpora.vocabulary import N_PITCH_TOKENS, DurationVocabulary
from mst_core.errors import BrokenStyle
from mst_core.networks.cache import BUCKET_COUNT, CONTEXT_COUNT
from mst_core.networks.duration_heads import END_COUNT, DurationHeads
from mst_core.networks.features import (
    DURATION_FEATURES,
    PITCH_FEATURES,
    embedding_sizes,
    matching_rows,
)

MAX_WIDTH = 8192
MAX_PROBABILITY = 0.95
"""Of dropout and of the mixture weights of the cache."""
MAX_DURATION_TICKS = 100_000
EMBEDDING_STD = 0.4
"""Standard deviation of the sum of a context's embeddings before training."""
_STORED_NAMES = {
    "embedding.weight": "table.weight",
    "projection.weight": "middle.weight",
    "projection.bias": "middle.bias",
}
"""Names of weights in style files and checkpoints, where they differ from the attributes'."""
_STORED_SCALE = "table.largest"


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
    """The sizes of one network and its dropout: enough to build it again.

    Stored as JSON, under the names of version 0.1, in the header of the network's file.
    """

    feature_sizes: tuple[int, ...] = ()
    """Embedding rows of each feature, (F,)."""
    vocabulary_size: int = 0
    """Tokens that the network predicts, V."""
    embedding: Annotated[int, Meta(ge=1, le=MAX_WIDTH)] = 160
    """Width of an embedding, E."""
    hidden: Annotated[int, Meta(ge=1, le=MAX_WIDTH)] = 320
    """Width of the LSTM's state, H."""
    layers: Annotated[int, Meta(ge=1, le=8)] = 1
    """Layers of the LSTM."""
    dropout: Annotated[float, Meta(ge=0, le=MAX_PROBABILITY)] = 0.4
    """Probability of zeroing each unit of embeddings, LSTM output and projection in training."""
    feature_dropout: Annotated[float, Meta(ge=0, le=MAX_PROBABILITY)] = 0.2
    """Probability of leaving out each input feature at each event in training."""
    projection: Annotated[int, Meta(ge=1, le=MAX_WIDTH)] = 256
    """Width of the GELU layer between LSTM output and head, P."""
    cache_weights: tuple[tuple[Annotated[float, Meta(ge=0, le=MAX_PROBABILITY)], ...], ...] = ()
    """Mixture weights of the continuous cache by context kind and count bucket; empty: no cache."""
    head_durations: tuple[Annotated[int, Meta(ge=1, le=MAX_DURATION_TICKS)], ...] = ()
    """Ticks of each token, (V,), for the heads of ends and rests; empty: no such heads."""


class SequenceNet(nn.Module):
    """Embeddings of all features summed, an LSTM, and a head that also sees the embedding."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        sizes = config.feature_sizes
        self.embedding = nn.EmbeddingBag(sum(sizes), config.embedding, mode="sum")  # (R, E)
        nn.init.normal_(self.embedding.weight, std=EMBEDDING_STD / max(len(sizes), 1) ** 0.5)
        self.lstm = nn.LSTM(
            config.embedding,
            config.hidden,
            config.layers,
            batch_first=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        width = config.hidden + config.embedding
        self.projection = nn.Linear(width, config.projection)
        self.head = nn.Linear(config.projection + width, config.vocabulary_size)
        self.duration_heads = (
            DurationHeads(config.head_durations, config.projection)
            if config.head_durations
            else None
        )
        starts = [0, *accumulate(sizes)][:-1]
        self.register_buffer("offsets", torch.tensor(starts), persistent=False)
        self.offsets: Tensor  # (F,)
        hook = _accept_stored_names
        self.register_load_state_dict_pre_hook(hook)  # type: ignore[no-untyped-call]

    def forward(
        self, features: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Predict the next token of each event.

        Args:
            features: values of all features, (B, T, F).
            state: hidden and cell state of the LSTM before the first event, (layers, B, H) each;
                None for the start of a melody.

        Returns:
            Logits (B, T, V), and the state after the last event.
        """
        b, t, f = features.shape
        rows = (features + self.offsets).view(b * t, f)  # (B * T, F)
        weights = self._feature_dropout(rows)
        embedded = self.dropout(self.embedding(rows, per_sample_weights=weights))  # (B * T, E)
        embedded = embedded.view(b, t, -1)  # (B, T, E)
        hidden, state = self.lstm(embedded, state)  # (B, T, H)
        joined = torch.cat((self.dropout(hidden), embedded), dim=-1)  # (B, T, H + E)
        projected = self.dropout(nn.functional.gelu(self.projection(joined)))  # (B, T, P)
        logits = self.head(torch.cat((projected, joined), dim=-1))  # (B, T, V)
        if self.duration_heads is not None:
            logits = logits + self.duration_heads(features, projected)
        return logits, state

    def _feature_dropout(self, rows: Tensor) -> Tensor | None:
        """Return weights like ``rows`` (B * T, F): 0 for features left out, others scaled up."""
        keep = 1 - self.config.feature_dropout
        if not self.training or keep == 1:
            return None
        return torch.rand(rows.shape, device=rows.device).lt(keep) / keep  # (B * T, F)

    def save(self, path: Path, metadata: dict[str, str]) -> None:
        """Write weights and config as safetensors.

        Weights are stored in half precision, and the embedding in 8 bits scaled by the largest
        value of each row: a third of the size, losses equal to three digits.

        Args:
            path: the file.
            metadata: more entries for the file's header.
        """
        header = {"shape": msgspec.json.encode(self.config).decode(), **metadata}
        weights = {
            _STORED_NAMES.get(name, name): value.half().contiguous()
            for name, value in self.state_dict().items()
        }
        embedding = self.embedding.weight.detach()  # (R, E)
        largest = embedding.abs().amax(1, keepdim=True).clamp(min=1e-6)  # (R, 1)
        stored = _STORED_NAMES["embedding.weight"]
        weights[stored] = (embedding / largest * 127).round().to(torch.int8)
        weights[_STORED_SCALE] = largest.half()
        save_file(weights, path, header)
        path.chmod(0o644)

    @classmethod
    def load(cls, path: Path, device: torch.device) -> tuple[SequenceNet, dict[str, str]]:
        """Read a network and the metadata of its file's header.

        Args:
            path: a file that `save` of this version or 0.1 wrote.
            device: where the weights go.

        Returns:
            The network, ready to predict, and the header.

        Raises:
            BrokenStyle: when the file is damaged, or its tensors are not of the sizes that its
                header says (checked before anything of those sizes is allocated).
        """
        style = path.parent.name
        stored = _STORED_NAMES["embedding.weight"]
        try:
            with safe_open(path, framework="pt", device=str(device)) as file:
                header = file.metadata() or {}
                config = msgspec.json.decode(header["shape"], type=ModelConfig)
                sizes = {
                    stored: [sum(config.feature_sizes), config.embedding],
                    f"lstm.weight_hh_l{config.layers - 1}": [4 * config.hidden, config.hidden],
                    _STORED_NAMES["projection.bias"]: [config.projection],
                    "head.bias": [config.vocabulary_size],
                }
                if any(file.get_slice(name).get_shape() != size for name, size in sizes.items()):
                    raise BrokenStyle(style, f"the tensors of {path.name} do not fit its header")
                cache_shape = [len(row) for row in config.cache_weights]
                if cache_shape not in ([], [BUCKET_COUNT] * CONTEXT_COUNT):
                    raise BrokenStyle(style, f"the cache weights of {path.name} have a wrong shape")
                if len(config.head_durations) not in (0, config.vocabulary_size):
                    raise BrokenStyle(style, f"the heads of {path.name} do not fit its header")
                network = cls(config)
                names = file.keys()  # the file is no mapping: `name in file` does not work
                weights = {name: file.get_tensor(name).float() for name in names}
                if _STORED_SCALE in weights:  # files of half-precision embeddings have none
                    weights[stored] *= weights.pop(_STORED_SCALE) / 127
                network.load_state_dict(weights)
        except (OSError, SafetensorError, KeyError, RuntimeError, msgspec.MsgspecError) as error:
            raise BrokenStyle(style, f"{path.name}: {error}") from error
        return network.to(device).eval(), header


def _accept_stored_names(
    _module: nn.Module, state: dict[str, Any], prefix: str, *_rest: object
) -> None:
    """Rename the weights of a file or an older checkpoint before they are loaded."""
    for name, stored in _STORED_NAMES.items():
        if prefix + stored in state:
            state[prefix + name] = state.pop(prefix + stored)


@dataclass(frozen=True, slots=True)
class StyleModel:
    """The two networks of a style and its duration vocabulary."""

    pitch_net: SequenceNet
    duration_net: SequenceNet
    vocabulary: DurationVocabulary

    @classmethod
    def build(cls, vocabulary: DurationVocabulary, config: ModelConfig) -> StyleModel:
        """Build two untrained networks.

        Args:
            vocabulary: the durations of the style.
            config: widths and dropout; its feature sizes and vocabulary size are replaced.
        """
        count = len(vocabulary)
        return cls(
            SequenceNet(
                msgspec.structs.replace(
                    config,
                    feature_sizes=embedding_sizes(PITCH_FEATURES, count),
                    vocabulary_size=N_PITCH_TOKENS,
                )
            ),
            SequenceNet(
                msgspec.structs.replace(
                    config,
                    feature_sizes=embedding_sizes(DURATION_FEATURES, count),
                    vocabulary_size=count,
                    head_durations=vocabulary.ticks,
                )
            ),
            vocabulary,
        )

    @torch.no_grad()
    def load_pretrained(self, other: StyleModel) -> None:
        """Copy the weights of another style's networks, each duration from the nearest one there.

        Raises:
            RuntimeError: when the widths differ.
        """
        tokens = torch.tensor([other.vocabulary.token(ticks) for ticks in self.vocabulary.ticks])
        for ours, theirs, features in (
            (self.pitch_net, other.pitch_net, PITCH_FEATURES),
            (self.duration_net, other.duration_net, DURATION_FEATURES),
        ):
            weights = dict(theirs.state_dict())
            rows = matching_rows(features, len(other.vocabulary), tokens.tolist())
            weights["embedding.weight"] = weights["embedding.weight"][rows]  # (R, E)
            if ours is self.duration_net:
                # A network of an older version lacks the heads of ends and rests: they stay zero.
                weights = dict(ours.state_dict()) | weights
                of_rests = torch.cat((torch.arange(END_COUNT), END_COUNT + tokens))
                for name, chosen in (("head", tokens), ("duration_heads.linear", of_rests)):
                    for kind in ("weight", "bias"):
                        if f"{name}.{kind}" in theirs.state_dict():
                            weights[f"{name}.{kind}"] = weights[f"{name}.{kind}"][chosen]
            ours.load_state_dict(weights)

    def save(self, folder: Path) -> None:
        """Write ``pitch.safetensors`` and ``duration.safetensors`` into a style folder."""
        folder.mkdir(parents=True, exist_ok=True)
        metadata = {"durations": json.dumps(self.vocabulary.ticks)}
        self.pitch_net.save(folder / "pitch.safetensors", metadata)
        self.duration_net.save(folder / "duration.safetensors", metadata)

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> StyleModel:
        """Read both networks of a style folder.

        Args:
            folder: the style folder; its name is the style's name.
            device: where the weights go.

        Returns:
            Both networks, ready to predict, with their duration vocabulary.

        Raises:
            BrokenStyle: when one is damaged, or they do not fit together.
        """
        pitch, metadata = SequenceNet.load(folder / "pitch.safetensors", device)
        duration, other_metadata = SequenceNet.load(folder / "duration.safetensors", device)
        try:
            durations = tuple[Annotated[int, Meta(ge=1, le=MAX_DURATION_TICKS)], ...]
            ticks = msgspec.json.decode(metadata["durations"], type=durations)
        except (KeyError, msgspec.MsgspecError) as error:
            raise BrokenStyle(folder.name, f"its duration vocabulary: {error}") from error
        count = len(ticks)
        fits = (
            metadata["durations"] == other_metadata.get("durations")
            and list(ticks) == sorted(set(ticks))
            and (pitch.config.feature_sizes, pitch.config.vocabulary_size)
            == (embedding_sizes(PITCH_FEATURES, count), N_PITCH_TOKENS)
            and (duration.config.feature_sizes, duration.config.vocabulary_size)
            == (embedding_sizes(DURATION_FEATURES, count), count)
        )
        if not fits:
            raise BrokenStyle(
                folder.name, "its networks and its duration vocabulary do not fit together"
            )
        return cls(pitch, duration, DurationVocabulary(ticks))
