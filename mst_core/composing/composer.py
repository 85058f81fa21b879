"""The composer: the loaded styles, and the three kinds of request that they serve.

A module of its own: it is the only entry to composing and transfer, and loads the networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mst_core.composing.new_tune import write_new_tune
from mst_core.generation.composition import Composition
from mst_core.generation.config import GenerationConfig
from mst_core.networks.style import Style, load_styles, pick_device, use_one_thread
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Compose, Mashup, Transfer
from mst_core.styles import StyleCard, require_style
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.mashup import combine
from mst_core.transfer.transfer import StyleTransfer


class Composer:
    """Composes and transfers; several threads may use it at once."""

    def __init__(
        self,
        styles: Mapping[str, Style],
        config: GenerationConfig = GenerationConfig(),
        transfer_config: TransferConfig = TransferConfig(),
    ) -> None:
        """Serve requests for these styles.

        Args:
            styles: loaded styles by name.
            config: constants of generating and selecting new tunes.
            transfer_config: constants of the transfer.
        """
        self._styles = styles
        self._config = config
        self._transfer = StyleTransfer(styles, transfer_config)
        self.styles: dict[str, StyleCard] = {name: style.card for name, style in styles.items()}

    @classmethod
    def open(
        cls,
        models: Path,
        device: str,
        config: GenerationConfig = GenerationConfig(),
        transfer_config: TransferConfig = TransferConfig(),
        on_stage: Callable[[str], None] = lambda stage: None,
    ) -> Composer:
        """Load every style of a folder; a broken style is logged and left out.

        Args:
            models: the folder with a folder for each style.
            device: ``auto``, ``cpu`` or ``cuda``.
            config: constants of generating and selecting new tunes.
            transfer_config: constants of the transfer.
            on_stage: receives the name of each stage when it begins.

        Raises:
            BadOption: when CUDA is requested and torch finds no GPU.
        """
        use_one_thread()
        styles = load_styles(models, pick_device(device), on_stage)
        return cls(styles, config, transfer_config)

    def compose(
        self, request: Compose, on_progress: Callable[[float], None] = lambda share: None
    ) -> Composition:
        """Compose a new tune.

        Args:
            request: styles, seed and options.
            on_progress: called with the share done, 0 to 1.

        Raises:
            UnknownStyle, BadOption: when the request names a style or meter that does not exist.
            NoSuchTune: when the two styles have no rhythm in common for it.
        """
        for name in (request.pitch, request.rhythm):
            require_style(name, self.styles)
        return write_new_tune(
            request,
            self._styles[request.pitch],
            self._styles[request.rhythm],
            on_progress,
            self._config,
        )

    def transfer(
        self,
        request: Transfer,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> Composition:
        """Transfer the rhythm, the pitches or both of a given tune to a style or another tune.

        Args:
            request: the sides that change, seed and options.
            scores: the parsed files that the request names, by SHA-256.
            on_progress: called with the share done, 0 to 1.

        Raises:
            UnknownStyle, BadOption: when the request names a style or meter that does not exist.
            NoSuchTune: when the target has no rhythm for most of the tune's bars.
        """
        for name in request.styles.values():
            require_style(name, self.styles)
        return self._transfer.transfer(request, scores, on_progress)

    def mashup(
        self,
        request: Mashup,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> Composition:
        """Combine the pitches of one given tune and the rhythm of another.

        Args:
            request: which file gives which.
            scores: both parsed files, by SHA-256.
            on_progress: not called; a mashup takes no time.

        Raises:
            NoSuchTune: when the second has no bars that the notes of the first fit into.
        """
        return combine(scores[request.source], scores[request.like])
