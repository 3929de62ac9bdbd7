"""Many scenarios judged at once, with the verdicts a study gives each of them alone.

`Judge` knows the limits, a `Tally` follows one batch of scenarios through its segments, `Readings` is what
they read, and `rows_of` sets it beside the case without cars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from gridimpact.hosting.judge_rules import Rules, not_assessed, rules_of
from gridimpact.hosting.readings import Beyond, Places, Readings, Service
from gridimpact.hosting.tally import Tally
from gridimpact.hosting.verdict_rows import rows_of
from gridimpact.records import ScanSettings
from gridimpact.study.spec import StudySpec

__all__ = ["Beyond", "Judge", "Places", "Readings", "Service", "Tally", "rows_of"]


@dataclass(frozen=True)
class Judge:
    """Judges scenarios of one study by its limit profile and the settings of a scan.

    Attributes
    ----------
    spec : StudySpec
        Its power flow decided.
    settings : ScanSettings
        Its limits on service and export, its days.
    plate : object or None
        Thermal data of the transformers; None where temperatures are not studied.
    """

    spec: StudySpec
    settings: ScanSettings
    plate: object | None = None

    @cached_property
    def rules(self) -> Rules:
        """What is judged."""
        return rules_of(self.spec)

    @property
    def target_tolerance(self) -> float:
        """Share of the capacity a departure may lack without being below its target [1], as in a study."""
        return self.rules.context.target_tolerance

    @cached_property
    def not_assessed(self) -> Mapping[str, str]:
        """Kinds of limit that no scenario can pass, by name, each with its reason.

        They set no bit of a mask, but for what is broken in the part of them that is judged, as in a study.
        """
        heated = self.plate is not None and self.spec.ambient is not None
        return not_assessed(self.rules, self.spec, self.settings, heated=heated)

    def start(self, scenarios: int) -> Tally:
        """Return an empty tally of so many scenarios."""
        return Tally(self.rules, self.settings.export_percent, scenarios)
