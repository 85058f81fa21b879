"""The networks of a style: features of an event's context, models, continuous cache, loading."""
