"""The composer: the loaded styles, and the three kinds of request that they serve.

A module of its own: it is the only entry to composing and transfer, and loads the networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from mst_core.composing.new_tune import draw_tempo, seldom_repeats, write_new_tune
from mst_core.generation.composition import Composition
from mst_core.generation.config import GenerationConfig
from mst_core.music import Melody, Meter
from mst_core.networks.style import Style, load_styles, pick_device, use_one_thread
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Compose, Mashup, Side, Transfer
from mst_core.styles import StyleCard, StyleMeter, require_meter, require_style
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
        if request.pitch != request.rhythm:
            return self._compose_in_two_styles(request, on_progress)
        style = self._styles[request.pitch]
        return write_new_tune(request, style, on_progress, self._config)

    def _compose_in_two_styles(
        self, request: Compose, on_progress: Callable[[float], None]
    ) -> Composition:
        """Compose a tune of the first style, then transfer its rhythm to the second.

        With the same seed and meter, the pitches are the same whatever the second style is.
        """
        pitch_style, card = self._styles[request.pitch], self.styles[request.rhythm]
        wanted = request.meter and require_meter(request.meter, request.rhythm, card)
        own = pitch_style.card.meters
        first = wanted if wanted is None or wanted in own else _commonest(own)
        tune = write_new_tune(
            structs.replace(request, meter=first),
            pitch_style,
            lambda share: on_progress(share / 2),
            self._config,
        )
        if wanted is None and str(tune.melody.meter) not in card.meters:  # as 2/2 becomes 4/4
            bar = tune.melody.meter.bar_length
            as_long = (name for name in card.meters if Meter.parse(name).bar_length == bar)
            wanted = next(as_long, _commonest(card.meters))
        rhythm = Side(style=request.rhythm)
        changed = self._transfer.transfer(
            Transfer(source="", seed=request.seed, rhythm=rhythm, meter=wanted),
            {"": ParsedScore("", tune.melody)},
            lambda share: on_progress(0.5 + share / 2),
        )
        meter = str(changed.melody.meter)
        tempo = request.tempo
        if tempo is None:
            tempo = draw_tempo(card.meters[meter], meter, request.seed)
        melody = replace(changed.melody, tempo=tempo)
        if not seldom_repeats(self._styles[request.rhythm], self._config):
            melody = _hold_last_note(melody)
        return Composition(melody, tune.form, card.meters[meter].swing, tune.program)

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


def _commonest(meters: Mapping[str, StyleMeter]) -> str:
    """Return the meter with the largest weight."""
    return max(meters, key=lambda name: meters[name].weight)


def _hold_last_note(melody: Melody) -> Melody:
    """Return a tune whose last note lasts to the end of its last bar, as dances and hymns end."""
    last = melody.notes[-1]
    held = replace(last, duration=melody.length - melody.pickup - last.onset)
    return replace(melody, notes=(*melody.notes[:-1], held))
