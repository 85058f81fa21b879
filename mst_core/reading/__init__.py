"""Reads MIDI, ABC and MusicXML files into a `ParsedScore`: the melody, other parts, warnings.

`load.load_score` reads a file in this process, `sandbox.parse` an untrusted one in a process of its
own. `formats` detects the format, `midi`, `abc` and `musicxml` are the readers, and `serialization`
encodes the result for other processes and for the cache of uploads.
"""
