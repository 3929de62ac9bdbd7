"""Power of every element, one seeded table whose first steps are the same however long it is."""

from __future__ import annotations

import numpy as np

YEAR = 35_040
DAY = 96


def demand(elements: int, steps: int, seed: int, feed_in: np.ndarray | None = None) -> np.ndarray:
    """Return the power of each element over its rating, (step, element).

    A daily curve with an evening peak times a random household, renewed every step; elements that
    feed in follow the sun. Days are drawn one after the other, so that a short table is the start
    of a long one.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, elements]))
    hour = np.arange(DAY) / 4.0
    evening = (
        0.35
        + 0.25 * np.exp(-(((hour - 8) / 2.0) ** 2))
        + 0.65 * np.exp(-(((hour - 19) / 2.5) ** 2))
    )
    sun = np.clip(np.sin(np.pi * (hour - 6.0) / 12.0), 0.0, None)
    feeds = np.zeros(elements, dtype=bool) if feed_in is None else feed_in
    own = rng.uniform(0.5, 1.0, elements)
    days = []
    for _ in range(-(-steps // DAY)):
        draw = rng.uniform(0.2, 1.8, (DAY, elements))
        cloud = rng.uniform(0.1, 1.0)
        days.append(np.where(feeds, cloud * sun[:, None], own * evening[:, None] * draw / 1.5))
    return np.concatenate(days)[:steps]
