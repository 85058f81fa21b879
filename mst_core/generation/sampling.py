"""Sampling: from a network's logits to probabilities, and to one token.

V is the size of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_EPSILON = 1e-12
"""Probability that stands for none, so that its logarithm is finite."""


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities (V,) of logits (V,)."""
    exponentials: NDArray[np.float64] = np.exp(logits - logits.max())  # (V,)
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum()
    return probabilities


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-probabilities (V,) of logits (V,), in nats, never minus infinity."""
    logs: NDArray[np.float64] = np.log(softmax(logits) + _EPSILON)
    return logs


def set_probability(
    logits: NDArray[np.float64], token: int, probability: float
) -> NDArray[np.float64]:
    """Give one token a probability and scale the others to the rest.

    Args:
        logits: of all tokens, (V,).
        token: index of the token.
        probability: what it gets, 0 to 1.

    Returns:
        Log-probabilities, (V,).
    """
    probabilities = softmax(logits)
    probabilities *= (1 - probability) / max(1 - probabilities[token], _EPSILON)
    probabilities[token] = probability
    changed: NDArray[np.float64] = np.log(probabilities + _EPSILON)
    return changed


def sample_top_p(probabilities: NDArray[np.float64], top_p: float, rng: np.random.Generator) -> int:
    """Draw a token from the most probable ones (nucleus sampling, Holtzman et al. 2020).

    Args:
        probabilities: of all tokens, (V,); they need not sum to 1.
        top_p: share of their sum that the tokens in play make up, 0 to 1.
        rng: one number is drawn from it.

    Returns:
        The index of the token.
    """
    order = np.argsort(-probabilities, kind="stable")  # (V,)
    cumulative = np.cumsum(probabilities[order])  # (V,)
    kept = min(int(np.searchsorted(cumulative, top_p * cumulative[-1])) + 1, len(order))
    drawn = np.searchsorted(cumulative[:kept], rng.random() * cumulative[kept - 1], side="right")
    return int(order[min(int(drawn), kept - 1)])


def sample_masked(
    logits: NDArray[np.float64],
    mask: NDArray[np.bool_],
    temperature: float,
    top_p: float,
    rng: np.random.Generator,
) -> int:
    """Draw one of the allowed tokens.

    Args:
        logits: of all tokens, (V,).
        mask: True for the allowed tokens, (V,).
        temperature: the logits are divided by it.
        top_p: share of the allowed probability that stays in play, as in `sample_top_p`.
        rng: one number is drawn from it.

    Returns:
        The index of an allowed token; where the network gives all of them no probability, each is
        equally likely.
    """
    probabilities = np.where(mask, softmax(logits / temperature), 0.0)  # (V,)
    if probabilities.sum() <= 0:
        probabilities = mask.astype(float)
    return sample_top_p(probabilities / probabilities.sum(), top_p, rng)


def sample_weighted(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """Draw a name with a probability proportional to its weight.

    Args:
        weights: positive weights by name; their order decides which name a seed draws.
        rng: one number is drawn from it.

    Returns:
        The name.
    """
    names = list(weights)
    probabilities = np.array([weights[name] for name in names], dtype=float)
    return str(rng.choice(names, p=probabilities / probabilities.sum()))
