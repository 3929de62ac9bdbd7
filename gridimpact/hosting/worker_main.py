"""A worker process of a scan: it is given a job once, then arguments, and answers until its pipe closes.

Started by `gridimpact.hosting.worker_process` only. It ends at once when the process that
started it ends, also when that one is killed. Imports nothing but what its job needs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from gridimpact.hosting import wire

DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


def main() -> None:
    """Serve until the pipe closes."""
    _end_with_parent()
    # A user's code may print: its output goes to the error stream, the pipes are this file's alone.
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks, inbox), daemon=True).start()
    wire.send(answers, ("ready", os.getpid()))
    _serve(inbox, answers)


def _serve(inbox: queue.SimpleQueue[Any], answers: BinaryIO) -> None:
    job: Any = None
    while True:
        kind, content = inbox.get()
        if kind == "path":
            sys.path[:] = content
        elif kind == "job":
            job = None
            try:
                job = pickle.loads(content)
            except Exception as error:
                wire.send(answers, ("unloadable", f"{type(error).__name__}: {error}"))
            else:
                wire.send(answers, ("loaded", None))
        else:
            _answer(job, content, answers)


def _answer(job: Any, content: bytes, answers: BinaryIO) -> None:
    try:
        message = ("result", job(*pickle.loads(content)), peak_bytes())
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)))
        message = ("error", error, peak_bytes())
    try:
        wire.send(answers, message)
    except Exception as error:
        if isinstance(error, OSError):
            raise
        text = f"what the job gave cannot be sent: {type(error).__name__}: {error}"
        if message[0] == "error":
            text = f"{type(message[1]).__name__}: {message[1]}"
        wire.send(answers, ("error", RuntimeError(text), peak_bytes()))


def _listen(tasks: BinaryIO, inbox: queue.SimpleQueue[Any]) -> None:
    """Pass messages on; the end of the pipe is the end of the process that wanted the answers."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            inbox.put(wire.receive(tasks))
    os._exit(0)


def _end_with_parent() -> None:
    """Ask Linux to end this process with its parent even inside compiled code."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def peak_bytes() -> int:
    """Return the most memory this process ever held at once [byte], 0 where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(ImportError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
