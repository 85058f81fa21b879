"""Constrained generation of melodies, shared by composing and transfer."""
