"""What a strategy that changes the plans of another one takes over from it."""

from __future__ import annotations

from gridimpact.dispatch.strategy import Strategy
from gridimpact.records import Dispatch, Note

_WORDS = {
    "q_kvar": "reactive power",
    "p_low_kw": "least and highest power inside steps",
    "inner_loss_kwh": "losses of a fast signal inside steps",
}


class Wrapped:
    """Properties of the wrapped `strategy`; the wrapper declares the field."""

    strategy: Strategy

    @property
    def bidirectional(self) -> bool:
        """Whether the strategy ever discharges."""
        return self.strategy.bidirectional

    @property
    def site_kinds(self) -> tuple[str, ...] | None:
        """Kinds of sites at which the strategy acts, None for all."""
        kinds: tuple[str, ...] | None = getattr(self.strategy, "site_kinds", None)
        return kinds

    @property
    def volt_var(self) -> str:
        """Curve by which the strategy lets chargers answer to voltage in the power flow, "" for none."""
        return str(getattr(self.strategy, "volt_var", ""))


def left_out(planned: Dispatch, carried: tuple[str, ...], where: str) -> tuple[Note, ...]:
    """Return a note where a plan tells more than its wrapper carries on, none else.

    Parameters
    ----------
    planned : Dispatch
        Of the wrapped strategy.
    carried : tuple of str
        Fields of a dispatch that the wrapper carries.
    where : str
        Name of the wrapper.
    """
    lost = [
        words
        for name, words in _WORDS.items()
        if name not in carried and getattr(planned, name) is not None
    ]
    if not lost:
        return ()
    text = f"{' and '.join(lost)} of the plans are not carried on; study the strategy by itself for them"
    return (Note("warning", where, text),)
