"""The command line; every command loads what it needs only when it runs.

Exit codes: 0 done, 1 unexpected error, 2 wrong input, 3 done but some power flows failed,
4 an optional dependency is missing, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gridimpact.cli_common import (
    FAILED_LANES,
    NO_EXTRA,
    WRONG_INPUT,
    StudyPath,
    plain_errors,
    root_of,
)
from gridimpact.cli_hosting import hosting
from gridimpact.errors import GridImpactError
from gridimpact.paths import template_folder

if TYPE_CHECKING:
    from gridimpact.api import Result

__all__ = ["FAILED_LANES", "NO_EXTRA", "WRONG_INPUT", "app", "main"]

app = typer.Typer(
    name="gridimpact",
    help="What electric vehicles do to a distribution network, and what smart charging changes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write the demo study to.")] = Path(
        "gridimpact_demo"
    ),
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Run the packaged study and show what the strategies do to a real village network."""
    with plain_errors():
        _new_study(out, "demo", again=True)
        _finish(_solve(out, verify=20, quiet=quiet))
        raise typer.Exit(_show(out))


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    template: Annotated[str, typer.Option(help="demo or own-data.")] = "demo",
) -> None:
    """Make a study folder with a commented study.yaml to edit."""
    with plain_errors():
        _new_study(folder, template)
        typer.echo(f"{folder / 'study.yaml'} written; edit it, then: gridimpact check {folder}")


@app.command()
def check(study: StudyPath) -> None:
    """List every problem of a study without solving it."""
    with plain_errors():
        from gridimpact.api import Study

        warnings = Study.from_file(study).check()
        for problem in warnings:
            typer.echo(f"note: {problem}")
        typer.echo(f"{study}: can be run; {len(warnings)} notes")


@app.command()
def run(
    study: StudyPath,
    days: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(help="design, all, or dates and ranges separated by commas."),
    ] = None,
    verify: Annotated[int, typer.Option(help="Random steps to solve again with pandapower.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Run a study; write its results and report beside it."""
    with plain_errors():
        _finish(_solve(study, days=days, verify=verify, quiet=quiet))
        raise typer.Exit(_show(study))


app.command()(hosting)


@app.command()
def report(study: StudyPath) -> None:
    """Write report.html again from the results of a study that has been run."""
    with plain_errors():
        from gridimpact.api import Result

        folder = root_of(study) / "results"
        path = Result.from_folder(folder).report(folder / "report.html")
        typer.echo(f"Report: {path}")


@app.command()
def networks() -> None:
    """List the packaged networks."""
    with plain_errors():
        from gridimpact.network import list_networks

        table = list_networks().rename_axis("name").reset_index()
        typer.echo(table.drop(columns=["licence", "suits"], errors="ignore").to_string(index=False))


@app.command()
def age(  # noqa: PLR0913 - options of a command, each by name
    load: Annotated[Path, typer.Argument(help="CSV of meter data, one column per meter.")],
    meters: Annotated[Path, typer.Option(help="CSV: meter_id, transformer_id and, if known, leg.")],
    transformers: Annotated[
        Path, typer.Option(help="CSV: transformer_id, rated_kva and thermal data, if known.")
    ],
    ambient: Annotated[str, typer.Option(help="Air temperature: packaged name or file.")],
    quantity: Annotated[str, typer.Option(help="What a value is: energy_kwh, p_kw, ...")],
    stamp: Annotated[str, typer.Option(help="Does a time start or end its interval?")],
    zone: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(help="Zone of times without an offset."),
    ] = None,
    plate: Annotated[str, typer.Option(help="Family of the transformers.")] = "ieee_65c_pole",
    power_factor: Annotated[float, typer.Option(help="Of all loads.")] = 0.95,
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(help="CSV to write; else the worst twenty are shown."),
    ] = None,
) -> None:
    """Rank service transformers by ageing, from meter data and a table of who hangs where."""
    with plain_errors():
        from gridimpact.profiles import read_profiles
        from gridimpact.study.thermal_meters import age_from_files

        measured = read_profiles(load, quantity=quantity, stamp=stamp, zone=zone)
        table, notes = age_from_files(
            measured, meters, transformers, ambient=ambient, plate=plate, power_factor=power_factor
        )
        for note in notes:
            typer.echo(f"{note.kind}: {note.where}: {note.text}", err=True)
        if out is None:
            typer.echo(table.head(20).to_string(float_format=lambda value: f"{value:.4g}"))
        else:
            table.to_csv(out)
            typer.echo(f"{out}: {len(table)} transformers, worst first")


@app.command("compile")
def compile_() -> None:
    """Compile the numerical kernels ahead of the first study; once per installation."""
    with plain_errors():
        from gridimpact.warm import compile_kernels

        compile_kernels()


def main() -> None:
    """Entry point of the command; an unexpected error ends with code 1 and its trace."""
    app()


def _new_study(folder: Path, template: str, *, again: bool = False) -> None:
    """Write the study file of a template; `again` accepts one that is there and unchanged."""
    source = template_folder() / f"{template}.yaml"
    if not source.is_file():
        known = ", ".join(sorted(f.stem for f in template_folder().glob("*.yaml")))
        message = f"template {template!r} is unknown; there are {known}"
        raise GridImpactError(message)
    target, text = folder / "study.yaml", source.read_text(encoding="utf-8")
    if target.exists() and not (again and target.read_text(encoding="utf-8") == text):
        message = f"{target}: exists and would be lost; move it away or choose another folder"
        raise GridImpactError(message)
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _solve(
    study: Path, *, days: str | None = None, verify: int = 0, quiet: bool = False
) -> tuple[Path, Result]:
    """Return the results folder and the result of a study."""
    from gridimpact.api import Study
    from gridimpact.study.store import require_free

    require_free(root_of(study) / "results")
    chosen = None
    if days is not None:
        chosen = days if days in ("design", "all") else [d.strip() for d in days.split(",")]
    result = Study.from_file(study).run(chosen, verify=verify, progress=not quiet)
    return root_of(study) / "results", result


def _finish(solved: tuple[Path, Result]) -> None:
    folder, result = solved
    result.save(folder)
    typer.echo(repr(result))


def _show(study: Path) -> int:
    """Tell where the report is; return the exit code."""
    import json

    folder = root_of(study) / "results"
    typer.echo(f"Report: {(folder / 'report.html').resolve()}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    failed = int(manifest["steps_failed"])
    if failed:
        typer.echo(f"warning: {failed} of {manifest['steps']} power flows failed", err=True)
    return FAILED_LANES if failed else 0


if __name__ == "__main__":
    sys.exit(app())
