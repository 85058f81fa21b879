"""Reads MIDI, ABC and MusicXML files into a parsed score."""
