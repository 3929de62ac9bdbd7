"""What all commands share: exit codes, errors told as text, where a study lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gridimpact.errors import GridImpactError, MissingExtra

WRONG_INPUT, FAILED_LANES, NO_EXTRA, STOPPED = 2, 3, 4, 130

StudyPath = Annotated[Path, typer.Argument(help="Study folder, or its study.yaml.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show an error of ours as text and end with its exit code."""
    try:
        yield
    except MissingExtra as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(NO_EXTRA) from error
    except (GridImpactError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(WRONG_INPUT) from error
    except KeyboardInterrupt as error:
        typer.echo(f"{error}" or "stopped", err=True)
        raise typer.Exit(STOPPED) from error


def root_of(study: Path) -> Path:
    """Return the folder of a study named by folder or file."""
    return study if study.is_dir() else study.parent
