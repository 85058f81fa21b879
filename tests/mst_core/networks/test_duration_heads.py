"""The heads of ends and rests: what they know of one position they know of all."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mst_core.corpora.vocabulary import DurationVocabulary
from mst_core.music import Meter
from mst_core.networks.context import MelodyState, TuneHeader
from mst_core.networks.duration_heads import END_COUNT
from mst_core.networks.model import ModelConfig, SequenceNet, StyleModel

EIGHTHS = DurationVocabulary((6, 12, 18, 24, 36))
SMALL = ModelConfig(
    feature_sizes=(), vocabulary_size=0, embedding=16, hidden=24, dropout=0.1, projection=16
)


@pytest.fixture
def network() -> SequenceNet:
    torch.manual_seed(0)
    return StyleModel.build(EIGHTHS, SMALL).duration_net.eval()


def logits_at(network: SequenceNet, onset: int, pitch: int | None = 60) -> Tensor:
    """Return the logits (V,) of an event at an onset in ticks, after one rest."""
    state = MelodyState(TuneHeader.regular(Meter.parse("4/4"), None, 4), EIGHTHS)
    state.append(None, onset)
    row = state.duration_context(state.pitch_context(), state.interval_to(pitch), pitch)
    with torch.inference_mode():
        logits: Tensor = network(torch.tensor([[row]]))[0]  # (1, 1, V)
    return logits[0, 0]


def test_heads_add_nothing_before_training(network: SequenceNet) -> None:
    with_heads = logits_at(network, 12)
    network.duration_heads = None
    assert torch.equal(logits_at(network, 12), with_heads)


@pytest.mark.parametrize(("onset", "duration"), [(36, 12), (30, 18), (24, 24), (12, 36)])
def test_an_end_on_the_third_beat_is_known_from_every_onset(
    network: SequenceNet, onset: int, duration: int
) -> None:
    assert network.duration_heads is not None
    with torch.no_grad():
        network.duration_heads.linear.bias[48] = 10
    likeliest = int(logits_at(network, onset).argmax())
    assert EIGHTHS.ticks[likeliest] == duration


def test_what_rests_do_leaves_notes_alone(network: SequenceNet) -> None:
    assert network.duration_heads is not None
    note, rest = logits_at(network, 12), logits_at(network, 12, pitch=None)
    with torch.no_grad():
        network.duration_heads.linear.bias[END_COUNT:] += 3
    assert torch.equal(logits_at(network, 12), note)
    assert torch.allclose(logits_at(network, 12, pitch=None), rest + 3)
