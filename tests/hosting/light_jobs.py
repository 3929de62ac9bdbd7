"""Jobs of the standard library alone, so that a worker that runs them starts at once."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass


def pid(_: int) -> int:
    return os.getpid()


def echo(value: object) -> object:
    return value


def surroundings(_: int) -> dict[str, object]:
    print("a job may print")
    return {
        "threads": os.environ["OMP_NUM_THREADS"] + os.environ["NUMBA_NUM_THREADS"],
        "path": list(sys.path),
        "line": " ".join(sys.orig_argv),
        "session": os.getsid(0),
        "pid": os.getpid(),
    }


def misbehave(deed: str) -> None:
    if deed == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "exit":
        os._exit(3)
    if deed == "raise":
        message = "as asked"
        raise LookupError(message)
    if deed == "unsendable":
        raise Unsendable(lambda: None)


class Unsendable(Exception):
    pass


@dataclass(frozen=True)
class Patient:
    """Sleeps as long as told, may take `limit_s`."""

    limit_s: float

    def __call__(self, seconds: float) -> str:
        time.sleep(seconds)
        return "awake"

    def time_limit(self, seconds: float) -> float:
        return self.limit_s


class Unloadable:
    """Can be packed, but not unpacked."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (_refuse, ("here",))

    def __call__(self, _: int) -> None:
        return None


def _refuse(where: str) -> None:
    message = f"cannot be loaded {where}"
    raise RuntimeError(message)
