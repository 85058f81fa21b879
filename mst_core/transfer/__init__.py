"""Style transfer: changes the rhythm or the pitches of a given tune."""
