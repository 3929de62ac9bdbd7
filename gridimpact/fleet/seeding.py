"""Random numbers that belong to a thing and not to its place in a list."""

from __future__ import annotations

import hashlib

import numpy as np


def content_number(*key: object) -> int:
    """Return a 128-bit number of a text key, the same in every run and on every machine.

    Examples
    --------
    >>> content_number("home", 3) == content_number("home", 3)
    True
    """
    text = "/".join(str(part) for part in key)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def generator(seed: int, *key: object) -> np.random.Generator:
    """Return the generator of a thing named by `key` under a study's seed.

    Parameters
    ----------
    seed : int
        Seed of the study, 0 or more.
    *key : object
        What the numbers belong to, e.g. ``"home", 12, 2016``.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, content_number(*key)]))
