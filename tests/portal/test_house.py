"""Limits that keep every file and every function small enough to be read at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.BASE_DIR
CODE = (
    "portal",
    "accounts",
    "activity",
    "tokens",
    "webhooks",
    "extensions",
    "api",
    "modules",
    "general",
    "demo",
    "tests",
)
KINDS = {".py", ".html", ".css", ".js", ".txt", ".md"}
LINES, LINES_OF_A_FUNCTION = 500, 50


def files() -> Iterator[Path]:
    """Yield the files that people write, except migrations and the records of the demo."""
    for folder in (*CODE, "templates", "static", "docs"):
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in KINDS and "/migrations/" not in name:
                yield path


def test_files_of_every_kind_are_looked_at() -> None:
    assert {path.suffix for path in files()} == KINDS
    assert len([*files()]) > 400


def test_no_file_is_longer_than_500_lines() -> None:
    records = ROOT / "demo" / "records"
    long = {
        f"{path.relative_to(ROOT)}: {count}"
        for path in files()
        if not path.is_relative_to(records)
        and (count := len(path.read_text().splitlines())) > LINES
    }
    assert not long


def test_no_function_is_longer_than_50_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LINES_OF_A_FUNCTION
    }
    assert not long
