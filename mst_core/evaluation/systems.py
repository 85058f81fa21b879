"""The transfer system that is evaluated: all versions of a tune for a list of strengths.

Stands alone because it is the only module of the package that runs our transfer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mst_core.corpora.tunes import CorpusTune
from mst_core.errors import NoSuchTune
from mst_core.music import Melody
from mst_core.networks.style import Style, load_styles, pick_device, use_one_thread
from mst_core.training.losses import StyleLosses, evaluate_model
from mst_core.transfer.rhythm import build_rhythm_path
from mst_core.transfer.target import RhythmTarget


class TransferSystem:
    """Rhythm transfer with loaded styles."""

    def __init__(self, styles: Mapping[str, Style], device: str = "cpu") -> None:
        self.styles = styles
        self._device = device

    @classmethod
    def open(cls, models: Path, device: str, only: str | None = None) -> TransferSystem:
        """Load the styles below a folder.

        Args:
            models: folder of the styles.
            device: auto, cpu or cuda.
            only: name of the only style to load; None loads all that can be loaded.

        Raises:
            StyleError: when the only style cannot be loaded.
        """
        use_one_thread()
        place = pick_device(device)
        if only is not None:
            return cls({only: Style.load(models / only, place)}, device)
        return cls(load_styles(models, place), device)

    def losses(self, style: str, tunes: Sequence[CorpusTune]) -> StyleLosses:
        """Compute the losses, in nats an event, of a style's networks on tunes.

        Args:
            style: name of a loaded style.
            tunes: tunes that its networks were not trained on.

        Returns:
            Both losses; NaN without tunes.
        """
        return evaluate_model(self.styles[style].model, tunes, pick_device(self._device), style)

    def to_style(
        self, melody: Melody, style: str, seed: int, strengths: Sequence[float] = (1.0,)
    ) -> list[Melody] | None:
        """Transfer to the rhythm of a style: one melody a strength, or None when it is refused.

        Args:
            melody: the tune to change.
            style: name of a loaded style.
            seed: of all random numbers.
            strengths: how far the rhythm changes, each 0 to 1.
        """
        return self._versions(
            melody,
            RhythmTarget.from_style(self.styles[style], melody.key, self.styles),
            seed,
            strengths,
        )

    def to_tune(
        self, melody: Melody, other: Melody, seed: int, strengths: Sequence[float] = (1.0,)
    ) -> list[Melody] | None:
        """Transfer to the rhythm of one other tune; None when it is refused.

        Args:
            melody: the tune to change.
            other: the reference tune.
            seed: of all random numbers.
            strengths: how far the rhythm changes, each 0 to 1.

        Returns:
            One melody for each strength, in their order.
        """
        return self._versions(
            melody, RhythmTarget.from_tune(other, self.styles, melody.key), seed, strengths
        )

    def _versions(
        self, melody: Melody, target: RhythmTarget, seed: int, strengths: Sequence[float]
    ) -> list[Melody] | None:
        try:
            path = build_rhythm_path(melody, target, seed=seed)
        except NoSuchTune:
            return None
        return [path.at(strength, keep_meter_at_zero=True)[0] for strength in strengths]
