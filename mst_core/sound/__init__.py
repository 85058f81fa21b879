"""Turns a melody into an audio file.

A melody becomes a `performance` (notes in seconds), a `synth` renders it as samples, `mix` adds the
accompanying parts, `mastering` sets the loudness, and `encoding` writes the file.
`performance_midi` writes the performance as a MIDI file instead. The synthesizers are `fluidsynth`
(the library) and `fluidsynth_cli` (midi2audio).
"""
