"""Names the 128 programs of General MIDI as musicians call the instruments.

Stands alone as a table: for parts to which a file gives a program and no name.
"""

from __future__ import annotations

INSTRUMENTS = (
    *("Piano", "Bright piano", "Electric grand", "Honky-tonk piano"),
    *("Electric piano", "Electric piano", "Harpsichord", "Clavinet"),
    *("Celesta", "Glockenspiel", "Music box", "Vibraphone"),
    *("Marimba", "Xylophone", "Tubular bells", "Dulcimer"),
    *("Organ", "Percussive organ", "Rock organ", "Church organ"),
    *("Reed organ", "Accordion", "Harmonica", "Bandoneon"),
    *("Nylon guitar", "Steel guitar", "Jazz guitar", "Clean guitar"),
    *("Muted guitar", "Overdriven guitar", "Distortion guitar", "Guitar harmonics"),
    *("Acoustic bass", "Fingered bass", "Picked bass", "Fretless bass"),
    *("Slap bass", "Slap bass", "Synth bass", "Synth bass"),
    *("Violin", "Viola", "Cello", "Double bass"),
    *("Tremolo strings", "Pizzicato strings", "Harp", "Timpani"),
    *("Strings", "Slow strings", "Synth strings", "Synth strings"),
    *("Choir", "Voices", "Synth voice", "Orchestra hit"),
    *("Trumpet", "Trombone", "Tuba", "Muted trumpet"),
    *("French horn", "Brass", "Synth brass", "Synth brass"),
    *("Soprano sax", "Alto sax", "Tenor sax", "Baritone sax"),
    *("Oboe", "English horn", "Bassoon", "Clarinet"),
    *("Piccolo", "Flute", "Recorder", "Pan flute"),
    *("Blown bottle", "Shakuhachi", "Whistle", "Ocarina"),
    *("Square lead", "Sawtooth lead", "Calliope lead", "Chiff lead"),
    *("Charang lead", "Voice lead", "Fifths lead", "Bass and lead"),
    *("New age pad", "Warm pad", "Polysynth pad", "Choir pad"),
    *("Bowed pad", "Metallic pad", "Halo pad", "Sweep pad"),
    *("Rain", "Soundtrack", "Crystal", "Atmosphere"),
    *("Brightness", "Goblins", "Echoes", "Sci-fi"),
    *("Sitar", "Banjo", "Shamisen", "Koto"),
    *("Kalimba", "Bagpipe", "Fiddle", "Shanai"),
    *("Tinkle bell", "Agogo", "Steel drums", "Woodblock"),
    *("Taiko drum", "Melodic tom", "Synth drum", "Reverse cymbal"),
    *("Fret noise", "Breath noise", "Seashore", "Bird"),
    *("Telephone", "Helicopter", "Applause", "Gunshot"),
)
"""By program, 0 to 127."""
PERCUSSION_PROGRAMS = range(112, 120)
"""Programs of struck instruments, whose notes need no length."""
