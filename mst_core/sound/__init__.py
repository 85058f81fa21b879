"""From a melody to audio: performance, synthesizer, mastering, encoding."""
