"""One run per folder: a lock that the operating system frees when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from gridimpact.errors import InputError
from gridimpact.hosting.files import telling

NAME = "scan.lock"
# Locked beyond the text, so that on Windows, where locks bind readers too, the text stays readable.
FAR = 1 << 20


class FolderLock:
    """The right to write to a folder, held until `release` or the end of the process.

    Parameters
    ----------
    folder : Path
        Existing. The file ``scan.lock`` in it says who holds it (process, host, since when); it
        stays behind empty, since a file that is deleted cannot be locked reliably.

    Raises
    ------
    InputError
        If another run holds the folder; the message says which.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        with telling(folder, f"opening {NAME}"):
            self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(self._file)
        except OSError as error:
            holder = _said(self._file)
            os.close(self._file)
            self._file = None
            message = (
                f"folder {folder.name!r}: another run writes to it ({holder or 'it did not say who'})"
                " -> wait for it, end it, or choose another folder"
            )
            raise InputError(message) from error
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        text = f"process {os.getpid()} on {platform.node()} since {since}\n"
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
            os.write(self._file, text.encode())

    def release(self) -> None:
        """Let go; doing so again does nothing."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
        os.close(self._file)
        self._file = None

    def __enter__(self) -> FolderLock:
        """Return the lock itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go."""
        self.release()


def _take(file: int) -> None:
    """Lock without waiting; OSError if it is taken."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, FAR, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _said(file: int) -> str:
    with contextlib.suppress(OSError):
        os.lseek(file, 0, os.SEEK_SET)
        return os.read(file, 400).decode(errors="replace").strip()
    return ""
