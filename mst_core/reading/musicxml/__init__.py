"""Reads MusicXML, plain and compressed."""
