"""Run commands of connect-cli, and read and write its workbooks."""

import json
import os
import runpy
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NoReturn

import connect.cli.ccli  # noqa: F401 (importing it takes seconds, running a command does not)
from answers import serve
from connect.cli.core.base import cli
from connect.cli.core.plugins import load_plugins
from connect.cli.plugins.report import wizard
from openpyxl import load_workbook

load_plugins(cli)

# The values of the parameters of a report, by name.
Form = dict[str, Any]
# The rows of a report: objects in JSON, cells in a workbook.
Rows = list[dict[str, Any]] | list[list[Any]]

PROGRAM = str(Path(sys.executable).with_name("ccli"))


def command(arguments: list[str], typed: str = "", form: Form | None = None) -> str:
    """Return what `ccli <arguments>` prints, with `typed` as keyboard input.

    The program runs in a fork of this process, where everything it needs is already imported.
    """
    with tempfile.TemporaryFile() as keyboard, tempfile.TemporaryFile() as screen:
        keyboard.write(typed.encode())
        keyboard.seek(0)
        child = os.fork()
        if not child:
            become(arguments, keyboard, screen, form)
        _, status = os.waitpid(child, 0)
        screen.seek(0)
        text = screen.read().decode()
    if status:
        raise RuntimeError(text)
    return text


def become(
    arguments: list[str], keyboard: IO[bytes], screen: IO[bytes], form: Form | None
) -> NoReturn:
    status: str | int | None = 1
    try:
        for number, file in enumerate((keyboard, screen, screen)):
            os.dup2(file.fileno(), number)
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 (ends with the process)
        sys.argv = [PROGRAM, *arguments]
        # The only part that is replaced: the full-screen form for a report's parameters.
        wizard.dialogus = lambda questions, *_, **__: filled(questions, form or {})
        runpy.run_path(PROGRAM, run_name="__main__")
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc(file=sys.stdout)
    finally:
        sys.stdout.flush()
        os._exit(status if isinstance(status, int) else 1)


def filled(questions: list[dict[str, Any]], form: Form) -> Form:
    """Fill in a form: every box is ticked unless `form` says otherwise."""
    ever = {
        "from": datetime.fromisoformat("2010-01-01T00:00:00+00:00"),
        "to": datetime.fromisoformat("2100-01-01T00:00:00+00:00"),
    }
    everything: dict[str, Callable[[dict[str, Any]], Any]] = {
        "daterange": lambda question: ever,
        "selectmany": lambda question: [value for value, _ in question["values"]],
    }
    return {
        question["name"]: form.get(question["name"]) or everything[question["type"]](question)
        for question in questions
    }


def report(config: str, name: str, format: str, output: str, form: Form | None = None) -> Rows:
    """Return the rows of a report, from JSON or from a workbook."""
    printed = command(
        ["-c", config, "report", "execute", name, "-f", format, "-o", f"{output}/{name}"], form=form
    )
    if "Report has been completed" not in printed:
        raise RuntimeError(printed.partition("Trace: [")[0])
    if format == "xlsx":
        return sheet(f"{output}/{name}.xlsx", 0)
    with zipfile.ZipFile(f"{output}/{name}.zip") as archive:
        rows: Rows = json.loads(archive.read("report.json"))
        return rows


def sheet(path: str, number: int) -> list[list[Any]]:
    """Return the rows of a sheet, headings first.

    Moments become texts.
    """
    rows = load_workbook(path).worksheets[number].iter_rows(values_only=True)
    return [[str(cell) if isinstance(cell, datetime) else cell for cell in row] for row in rows]


def fill(path: str, row: int, cells: dict[str, Any]) -> None:
    """Write into a row of the first sheet.

    Cells are `{column: value}`; rows and columns count from 1.
    """
    workbook = load_workbook(path)
    for column, value in cells.items():
        workbook.worksheets[0].cell(row, int(column)).value = value
    workbook.save(path)


TASKS: dict[str, Callable[..., Any]] = {
    "command": command,
    "report": report,
    "sheet": sheet,
    "fill": fill,
}

serve(lambda task, **details: TASKS[task](**details))
