"""Where the packaged networks and profiles lie, in a wheel as in a source checkout."""

from __future__ import annotations

from pathlib import Path


def data_folder(kind: str) -> Path:
    """Return the folder of packaged data.

    Parameters
    ----------
    kind : str
        ``"networks"`` or ``"profiles"``.

    Returns
    -------
    pathlib.Path
        Inside the package when installed from a wheel, beside it in a source checkout.
    """
    package = Path(__file__).resolve().parent
    installed = package / "data" / kind
    return installed if installed.is_dir() else package.parent / kind


def template_folder() -> Path:
    """Return the folder of study files that `gridimpact new` and `gridimpact demo` start from."""
    return Path(__file__).resolve().parent / "templates"
