"""Reads MusicXML, plain and compressed: tree, elements, part, melody part, bars, score."""
