"""Draws of a hosting scan: which homes get cars, whose behaviour they have, on which phases and days.

Car k of a draw is the same whatever the number of cars, and every draw is found from the scan's seed and its
own number alone: all strategies see the same draws, and another draw or level changes none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from gridimpact.errors import InputError, raise_problems
from gridimpact.fleet.seeding import content_number
from gridimpact.hosting.assembly import Wanted, assemble
from gridimpact.hosting.behaviour import cars_of_draw, synthetic_pool
from gridimpact.hosting.decided import decided, draw_problems
from gridimpact.hosting.draw_record import Draw, hash_of_fleet, present
from gridimpact.hosting.placement import homes_of_cars
from gridimpact.hosting.pool import Pool, pool_of
from gridimpact.hosting.random_days import RANDOM_DAYS, choices_of_days, day_of_draw
from gridimpact.hosting.request_slice import request_with, spec_with
from gridimpact.records import Fleet, IntArray, Note, ScanSettings
from gridimpact.study.segments import Segment, choose_segments
from gridimpact.study.spec import StudySpec

__all__ = ["Draw", "DrawMaker", "decided", "make_draw", "present", "request_with", "spec_with"]


class DrawMaker:
    """Makes the draws of one scan; what they share is found once.

    Parameters
    ----------
    spec : StudySpec
        As `decided` returns it.
    settings : ScanSettings
        Of the scan.

    Raises
    ------
    InputError
        If the draws asked for cannot be made.
    """

    def __init__(self, spec: StudySpec, settings: ScanSettings) -> None:
        pool = pool_of(spec.fleet)
        raise_problems(draw_problems(spec, settings, pool), "hosting")
        self.spec = spec
        self.settings = settings
        self._pool = pool
        sites = spec.network.sites
        self._homes = [
            str(s) for s in sites.index[(sites["kind"].astype(str) == "home").to_numpy()]
        ]
        self._segments: dict[str, tuple[Segment, ...]] = {}
        self._near: dict[str, Pool] = {}
        days = settings.days
        random = isinstance(days, str) and days in RANDOM_DAYS
        self._choices = choices_of_days(spec.timeline, str(days)) if random else ()

    def segments(self, number: int) -> tuple[Segment, ...]:
        """Return what a draw solves; draws of the same days share it."""
        return self._segments_of(self._days(number))

    def draw(self, number: int, *, whole: bool = False) -> Draw:
        """Return a draw.

        Parameters
        ----------
        number : int
            0 or more.
        whole : bool
            Sessions of the whole timeline, to solve other days too; slower by the length of the timeline.
            Cars that are made anew then begin with the timeline and not with the days, so that on some
            days another driver plugs in.

        Raises
        ------
        InputError
            If the number is below 0.
        """
        if number < 0:
            message = f"draw {number}: draws are counted from 0"
            raise InputError(message)
        days = self._days(number)
        segments = self._segments_of(days)
        draw = self._assembled(number, segments, self._pool_of(number, days), whole=False)
        if not whole:
            return draw
        full = self._synthetic(number, None) if self._synthesised else self._pool
        found = self._assembled(number, segments, full, whole=True)
        return dataclasses.replace(found, sessions_sha256=draw.sessions_sha256)

    @property
    def _synthesised(self) -> bool:
        return isinstance(self.settings.behaviour, Mapping)

    def _days(self, number: int) -> str:
        """Return the key of a draw's days: its date where days are random, else nothing."""
        return day_of_draw(self._choices, self.settings.seed, number) if self._choices else ""

    def _segments_of(self, days: str) -> tuple[Segment, ...]:
        found = self._segments.get(days)
        if found is None:
            profiles = self.spec.profiles
            sun = profiles.pv_p_kw.sum(axis=1)
            load = profiles.load_p_kw.sum(axis=1)
            wanted = (days,) if days else self.settings.days
            found = choose_segments(self.spec.timeline, wanted, load + sun, sun)
            self._segments[days] = found
        return found

    def _pool_of(self, number: int, days: str) -> Pool:
        """Return the cars a draw chooses from, with sessions of its days only."""
        segments = self._segments_of(days)
        if self._synthesised:
            return self._synthetic(number, segments).within(segments)
        if days:
            return self._pool.within(segments)
        if days not in self._near:
            self._near[days] = self._pool.within(segments)
        return self._near[days]

    def _synthetic(self, number: int, segments: tuple[Segment, ...] | None) -> Pool:
        settings = self.settings
        options = settings.behaviour if isinstance(settings.behaviour, Mapping) else {}
        order = (max(settings.cars, default=0), settings.seed, number)
        fixed = self._pool.fixed_fleet()
        return synthetic_pool(self.spec, fixed, options, order, segments)

    def _wanted(self, number: int) -> Wanted:
        """Return who the cars of a draw are, where they live and what they are called."""
        settings, pool = self.settings, self._pool
        cars, seed = max(settings.cars, default=0), settings.seed
        if isinstance(settings.behaviour, Mapping):
            chosen: IntArray = np.arange(cars)
        else:
            chosen = cars_of_draw(pool, settings.behaviour, cars, seed, number)
        own_place = settings.placement == "given"
        homes = (
            pool.home_site()[:cars] if own_place else homes_of_cars(self._homes, cars, seed, number)
        )
        if own_place and settings.behaviour == "given":
            names = [str(n) for n in self.spec.fleet.vehicles.index[pool.car[:cars]]]
        else:
            # Who takes part in a programme goes by id: new ids make that a matter of the draw too.
            names = [f"d{number:05d}_ev_{k:05d}" for k in range(1, cars + 1)]
        return Wanted(chosen, homes, names)

    def _assembled(
        self, number: int, segments: tuple[Segment, ...], pool: Pool, *, whole: bool
    ) -> Draw:
        settings, spec = self.settings, self.spec
        rule = (settings.phases, content_number(settings.seed, "phases of draw", number))
        made = assemble(pool, self._wanted(number), spec.network.sites, rule)
        fleet = _told(made.fleet, number, () if whole else segments)
        return Draw(
            number=number,
            spec=dataclasses.replace(spec, fleet=fleet),
            segments=segments,
            first_at=made.first_at,
            sessions_sha256="" if whole else hash_of_fleet(fleet),
            charger_first_at=made.charger_first_at,
        )


def _told(fleet: Fleet, number: int, segments: tuple[Segment, ...]) -> Fleet:
    """Return a draw's fleet with notes that speak of the draw and not of the study's own placement."""
    text = f"Homes, behaviour and phases of the private cars are those of draw {number}"
    if segments:
        text += f"; it holds the sessions of these days only: {', '.join(s.name for s in segments)}"
    kept = tuple(note for note in fleet.notes if note.where != "place")
    return dataclasses.replace(fleet, notes=(*kept, Note("assumption", "place", f"{text}.")))


def make_draw(spec: StudySpec, settings: ScanSettings, number: int, *, whole: bool = False) -> Draw:
    """Return one draw of a scan.

    Parameters
    ----------
    spec : StudySpec
        As `decided` returns it.
    settings : ScanSettings
        Of the scan.
    number : int
        Of the draw, from 0.
    whole : bool
        As `DrawMaker.draw`, which does the same faster where many draws of a scan are made.

    Raises
    ------
    InputError
        If the draw cannot be made.
    """
    return DrawMaker(spec, settings).draw(number, whole=whole)
