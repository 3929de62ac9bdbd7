"""From inputs to results: build, check, plan, inject, run, compare, store."""

from gridimpact.study.compare import compare
from gridimpact.study.inject import inject
from gridimpact.study.operating_envelope import operating_envelopes
from gridimpact.study.operating_envelope_record import OperatingEnvelopes
from gridimpact.study.place import place
from gridimpact.study.plan import plan
from gridimpact.study.requests import build_requests
from gridimpact.study.run import run_study
from gridimpact.study.segments import Segment, choose_segments
from gridimpact.study.spec import StudySpec
from gridimpact.study.thermal_options import TransformerOptions

__all__ = [
    "OperatingEnvelopes",
    "Segment",
    "StudySpec",
    "TransformerOptions",
    "build_requests",
    "choose_segments",
    "compare",
    "inject",
    "operating_envelopes",
    "place",
    "plan",
    "run_study",
]
