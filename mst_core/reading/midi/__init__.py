"""Reads Standard MIDI Files.

In the order of `read`: `messages` (bytes), `notes` and `parts` (who plays what), `melody_track`
(which part and which line is the melody), `tempo_map` and `bars`, `quantization`.
"""
