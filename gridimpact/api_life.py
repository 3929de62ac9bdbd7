"""What a result tells of transformers' lives, as methods of `gridimpact.Result`."""

from __future__ import annotations

import pandas as pd

from gridimpact.errors import InputError
from gridimpact.records import StudyResult
from gridimpact.study.thermal_life import ledgers, transformer_life
from gridimpact.study.thermal_stored import ageing_sensitivity_of


class LifeAccess:
    """Tables of ageing, life and its money."""

    record: StudyResult

    def transformer_life(self) -> pd.DataFrame:
        """Return ageing, life, years left and their money by strategy and transformer.

        Returns
        -------
        pandas.DataFrame
            As `gridimpact.study.thermal_life.transformer_life`: loss of life of the assessed time; years
            and deferral only from an assessed year; money only where the study was given
            ``transformer={"replacement": {"cost": ...}}``.
        """
        return transformer_life(self.record)

    def ledgers(self) -> pd.DataFrame:
        """Return energy bill, transformer life used and battery wear [EUR] by strategy, of the assessed time.

        Each stands once as it is and once as ``extra_*`` over uncontrolled charging.
        """
        return ledgers(self.record)

    def ageing_sensitivity(self, strategy: str | None = None) -> pd.DataFrame:
        """Return how far equivalent ageing hangs on what was assumed, each assumption moved alone.

        Parameters
        ----------
        strategy : str, optional
            Label of one strategy; all by default.

        Returns
        -------
        pandas.DataFrame
            ``strategy transformer name assumption lower as_given higher``.

        Raises
        ------
        InputError
            If the strategy is unknown or temperatures were not studied.
        """
        known = [str(label) for label in self.record.comparison.index]
        if strategy is not None and strategy not in known:
            message = f"no strategy {strategy!r} in this result; there are {', '.join(known)}"
            raise InputError(message)
        chosen = known if strategy is None else [strategy]
        parts = [ageing_sensitivity_of(self.record, label) for label in chosen]
        return pd.concat(parts, ignore_index=True)
