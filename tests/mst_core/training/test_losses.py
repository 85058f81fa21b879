"""Losses in the common alphabet, and the fit of the continuous cache."""

from __future__ import annotations

import torch

from mst_core.corpora.tunes import CorpusTune, TuneEvent, parse_tune
from mst_core.corpora.vocabulary import COMMON_DURATIONS, DurationVocabulary
from mst_core.networks.model import ModelConfig, StyleModel
from mst_core.training.loop import encode_tune
from mst_core.training.losses import duration_class, evaluate_model, fit_cache
from tests.support.corpus import dance

CPU = torch.device("cpu")
SMALL = ModelConfig(
    feature_sizes=(), vocabulary_size=0, embedding=16, hidden=24, dropout=0.1, projection=16
)


def test_a_fitted_cache_lowers_the_loss_of_an_untrained_network(
    tunes: list[CorpusTune],
) -> None:
    durations = DurationVocabulary.from_tunes(tunes)
    torch.manual_seed(0)
    model = StyleModel.build(durations, SMALL)  # untrained
    examples = [encode_tune(tune, durations) for tune in tunes]
    alone = evaluate_model(model, tunes, CPU)
    fit_cache(
        model.pitch_net,
        [example["pitch"] for example in examples],
        CPU,
    )
    fit_cache(
        model.duration_net,
        [example["duration"] for example in examples],
        CPU,
    )
    together = evaluate_model(model, tunes, CPU)
    assert together.pitch < alone.pitch - 0.1
    assert together.duration < alone.duration - 0.1


def test_common_classes_take_the_nearest_note_value() -> None:
    assert COMMON_DURATIONS[duration_class(24)] == 1
    assert COMMON_DURATIONS[duration_class(23)] == 1
    assert COMMON_DURATIONS[duration_class(500)] == 8


def test_a_duration_outside_the_vocabulary_has_a_finite_loss() -> None:
    known, odd = parse_tune(dance(1)), parse_tune(dance(2))
    events = (TuneEvent(62, 0, 24), TuneEvent(63, 24, 1), TuneEvent(74, 25, 200))
    strange = CorpusTune(odd.id, odd.title, odd.meter, odd.key, events, odd.barlines)
    model = StyleModel.build(DurationVocabulary.from_tunes([known]), SMALL)
    assert evaluate_model(model, [strange], CPU).duration < 12
