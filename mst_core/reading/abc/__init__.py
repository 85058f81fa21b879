"""Reads ABC notation (standard 2.1): tokens, fields, voice, tune, bars, score."""
