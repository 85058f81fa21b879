"""Writes a melody as a score: ABC, MIDI, MusicXML, or a picture.

`layout` arranges a melody into written bars with the help of `metrical_grid`, `triplets`, `ties`,
`beams`, `spelling` and `repeat_signs`. From these bars, `abc` and `musicxml` write files; `mei`,
`picture` and `before_after` draw. `midi` writes the notes directly.
"""
