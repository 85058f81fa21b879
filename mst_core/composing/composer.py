"""The composer: the loaded styles, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mst_core.composing.new_tune import write_new_tune
from mst_core.generation.composition import Composition
from mst_core.jobs import Compose, Mashup, Transfer
from mst_core.networks.style import Style, load_styles, pick_device, use_one_thread
from mst_core.reading.parsed_score import ParsedScore
from mst_core.styles import StyleCard, require_style
from mst_core.transfer.mashup import combine
from mst_core.transfer.transfer import StyleTransfer


class Composer:
    """Holds the loaded styles. One tune at a time; the engine owns the order."""

    def __init__(self, styles: Mapping[str, Style]) -> None:
        self._styles = styles
        self._changing = StyleTransfer(styles)
        self.styles: dict[str, StyleCard] = {name: style.card for name, style in styles.items()}

    @classmethod
    def open(cls, models: Path, device: str) -> Composer:
        """Load the styles below ``models``; what is broken is logged and left out."""
        use_one_thread()
        return cls(load_styles(models, pick_device(device)))

    def compose(
        self, request: Compose, on_progress: Callable[[float], None] = lambda share: None
    ) -> Composition:
        """Write a new tune.

        Raises:
            UnknownStyle, BadOption: when the request names what there is not.
            NoSuchTune: when the two styles have no rhythm in common for it.
        """
        for name in (request.pitch, request.rhythm):
            require_style(name, self.styles)
        return write_new_tune(
            request, self._styles[request.pitch], self._styles[request.rhythm], on_progress
        )

    def transfer(
        self,
        request: Transfer,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> Composition:
        """Change a given tune; ``readings`` holds it, and the tunes that it is to be like.

        Raises:
            UnknownStyle, BadOption: when the request names what there is not.
            NoSuchTune: when the target has no rhythm for most of the tune's bars.
        """
        for name in request.styles.values():
            require_style(name, self.styles)
        return self._changing.transfer(request, scores, on_progress)

    def mashup(
        self,
        request: Mashup,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> Composition:
        """Join the pitches of one given tune and the rhythm of another.

        Raises:
            NoSuchTune: when the second has no bars that the notes of the first fit into.
        """
        return combine(scores[request.source], scores[request.like])
