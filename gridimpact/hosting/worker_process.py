"""One worker process as its owner sees it: started, given a job, asked, ended."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any, BinaryIO, cast

from gridimpact.errors import InputError
from gridimpact.hosting import wire
from gridimpact.hosting.faults import WorkerDied, WorkerNotStarted, WorkerTimeout

START_S = 300.0
"""Longest time a worker may take to start, and then to load its job [s]."""

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Set to 1 in workers: the cores are shared out by process."""


@dataclass(frozen=True, eq=False)
class PackedJob:
    """A callable as the bytes that workers load it from; packed once, sent once to each worker."""

    data: bytes


def pack(job: Any) -> PackedJob:
    """Return a callable packed for workers.

    Raises
    ------
    InputError
        If a worker could not load it: it holds a class or function of the script or notebook itself
        (``__main__``), or something that cannot be pickled.
    """
    out = io.BytesIO()
    packer = _Packer(out, protocol=5)
    try:
        packer.dump(job)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        message = (
            f"what is to be run cannot be sent to worker processes ({error})"
            " -> use workers=0, which solves in this process"
        )
        raise InputError(message) from error
    if packer.own:
        message = (
            f"{', '.join(sorted(packer.own))}: defined in the script or notebook itself, where worker processes"
            " cannot find it -> move it to a module of its own and import it, or use workers=0"
        )
        raise InputError(message)
    return PackedJob(out.getvalue())


class _Packer(pickle.Pickler):
    """Pickles, and notes what belongs to ``__main__``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.own: set[str] = set()

    def reducer_override(self, value: Any) -> Any:
        """Look at classes and functions as they pass."""
        if (
            isinstance(value, type | FunctionType | BuiltinFunctionType)
            and value.__module__ == "__main__"
        ):
            self.own.add(value.__qualname__)
        return NotImplemented


class WorkerProcess:
    """A process that runs `gridimpact.hosting.worker_main`; used by one thread only.

    Raises
    ------
    WorkerNotStarted
        If it cannot be started or does not report.
    """

    def __init__(self) -> None:
        path = [str(Path(p).absolute()) if Path(p).exists() else p for p in sys.path]
        env = {**os.environ, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONPATH": os.pathsep.join(path)}
        command = [sys.executable, "-P", "-m", "gridimpact.hosting.worker_main"]
        try:
            # A session of its own: Ctrl-C at the terminal reaches the scan alone, which ends its workers.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=env,
                start_new_session=True,
            )
        except OSError as error:
            message = f"a worker process cannot be started: {error.strerror}"
            raise WorkerNotStarted(message) from error
        self.peak_bytes = 0
        self._held: PackedJob | None = None
        self._expired = False
        try:
            self._expect("ready")
            self._send(("path", path))
        except WorkerDied as error:
            message = f"a worker process could not be started ({error}); its error stream says why"
            raise WorkerNotStarted(message) from error

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def call(self, job: PackedJob, args: tuple[Any, ...], limit_s: float | None) -> Any:
        """Return the job's answer.

        Raises
        ------
        WorkerDied
            If the process ended; WorkerTimeout if it was ended after `limit_s`. It is of no more use.
        InputError
            If the job cannot be loaded there.
        """
        content = pickle.dumps(args, protocol=5)
        if self._held is not job:
            self._held = None
            self._send(("job", job.data))
            kind, text, *_ = self._answer(START_S)
            if kind != "loaded":
                message = (
                    f"a worker process cannot load what it is to run: {text} -> import it from a module"
                    " that Python finds, or use workers=0"
                )
                raise InputError(message)
            self._held = job
        self._send(("run", content))
        kind, value, peak = self._answer(limit_s)
        self.peak_bytes = max(self.peak_bytes, peak)
        if kind == "error":
            raise value
        return value

    def kill(self) -> None:
        """End it at once, and whatever it started; its owner then finds its pipe closed."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """End it, wait until it is gone and close its pipes; by its owner only."""
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _expect(self, wanted: str) -> None:
        kind, *_ = self._answer(START_S)
        if kind != wanted:
            message = f"it said {kind!r} instead of {wanted!r}"
            raise WorkerDied(message)

    def _send(self, message: Any) -> None:
        try:
            wire.send(cast(BinaryIO, self._process.stdin), message)
        except OSError as error:
            raise self._death() from error

    def _answer(self, limit_s: float | None) -> tuple[Any, ...]:
        with self._at_most(limit_s):
            try:
                answer = wire.receive(cast(BinaryIO, self._process.stdout))
            except (EOFError, OSError) as error:
                if self._expired:
                    raise WorkerTimeout(limit_s or 0.0) from error
                raise self._death() from error
        return cast(tuple[Any, ...], answer)

    def _death(self) -> WorkerDied:
        code = self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        return WorkerDied(f"a worker process ended ({how})")

    @contextlib.contextmanager
    def _at_most(self, limit_s: float | None) -> Iterator[None]:
        """End the process if what is done here takes longer; its closed pipe then tells."""
        if limit_s is None:
            yield
            return
        clock = threading.Timer(limit_s, self._expire)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()

    def _expire(self) -> None:
        self._expired = True
        self.kill()
