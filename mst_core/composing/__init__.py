"""Composing: new tunes, the selection of a candidate, and the entry for all requests."""
