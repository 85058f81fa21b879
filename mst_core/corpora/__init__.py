"""Corpora: tunes from anywhere, gathered, read, told apart from their variants, one line each."""
