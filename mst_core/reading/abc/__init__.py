"""Reads ABC notation (standard 2.1 and its dialects): text, book, fields, voices, tune, score."""
