"""Music style transfer: from a request to a tune, its score and its sound.

The path of one request::

    jobs.Compose -> studio.Studio -> composing (form, generation, transfer over networks)
                                  -> score (MIDI, MusicXML, ABC, picture)
                                  -> sound (performance, synthesizer, mastering, encoding)
                 -> jobs.Rendition

`music` holds the nouns, `styles` the cards, `engine` runs the studio in a process of its own.
The core knows nothing of Discord, databases or the environment.
"""

__version__ = "0.2.0"
