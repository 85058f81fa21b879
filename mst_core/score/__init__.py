"""Written music: reading and writing ABC, writing MIDI and MusicXML, drawing the score."""
