"""Corpora: tunes from files of any format, clustered by variants, one JSON object a line."""
