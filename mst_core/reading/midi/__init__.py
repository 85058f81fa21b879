"""Reads Standard MIDI Files."""
