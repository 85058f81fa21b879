"""Reads ABC notation."""
