"""Writes a melody as ABC, MIDI, MusicXML, MEI or a picture."""
