"""Statistics of a corpus that are stored with the networks of a style."""
