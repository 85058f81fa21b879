"""Answers as Discord messages: captions, embeds, buttons and their delivery."""
