"""The Discord messages of the bot: their text, embeds and buttons, and their delivery."""
