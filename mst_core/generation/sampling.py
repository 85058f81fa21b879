"""Chances: from a network's logits to shares of probability, and to a choice among what is open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float64]
"""One value a token (V,); shares of probability have the same shape."""


def softmax(logits: Logits) -> Logits:
    """The shares of probability: softmax."""
    raised: Logits = np.exp(logits - logits.max())
    shares: Logits = raised / raised.sum()
    return shares


def set_probability(logits: Logits, token: int, share: float) -> Logits:
    """Give one token a share of probability and leave the others the rest."""
    shares = softmax(logits)
    shares *= (1 - share) / max(1 - shares[token], 1e-12)
    shares[token] = share
    changed: Logits = np.log(shares + 1e-12)
    return changed


def log_softmax(logits: Logits) -> Logits:
    """Their natural logarithms, never minus infinity."""
    logs: Logits = np.log(softmax(logits) + 1e-12)
    return logs


def sample_top_p(
    logits: Logits, mask: NDArray[np.bool_], heat: float, nucleus: float, rng: np.random.Generator
) -> int:
    """Draw a token among the open ones (V,), after temperature and nucleus."""
    shares = np.where(mask, softmax(logits / heat), 0.0)
    if shares.sum() <= 0:  # all that is open was ruled out by the network: take any
        shares = mask.astype(float)
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")
    kept = int(np.searchsorted(np.cumsum(shares[order]), nucleus)) + 1
    likely = order[:kept]
    rising = np.cumsum(shares[likely])
    return int(likely[np.searchsorted(rising, rng.random() * rising[-1], side="right")])
