"""Trains the two networks of a style."""
