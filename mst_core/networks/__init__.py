"""The pairs of networks: dictionaries, context, model, corpora, training."""
