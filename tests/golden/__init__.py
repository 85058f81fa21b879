"""Music that was made once, and is to be made again."""
