"""Constrained sampling of melodies, shared by composing and transfer."""
