"""Tokens from the command line."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from tests.conftest import Call
from tests.factories import AccountFactory, TokenFactory
from tokens.catalog import Module
from tokens.models import Token


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("create_token", *arguments)
    return capsys.readouterr().out


@pytest.mark.parametrize("by", ["id", "name", "name in capitals"])
def test_it_prints_the_value_of_the_header_and_nothing_else(
    account: Account, capsys: pytest.CaptureFixture[str], call: Call, by: str
) -> None:
    wanted = {"id": account.pk, "name": account.name, "name in capitals": account.name.upper()}[by]
    out = run(
        capsys,
        "--account",
        wanted,
        "--name",
        "From the shell",
        "--module",
        "agreements",
        "--module",
        "products",
    )
    assert out.endswith("\n")
    assert call("agreements", out.removesuffix("\n")).status_code == 200
    assert call("products", out.removesuffix("\n")).status_code == 200
    assert call("contracts", out.removesuffix("\n")).status_code == 403


def test_all_modules_is_a_grant_of_its_own(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "--account", account.pk, "--name", "Everything", "--all-modules")
    assert Token.objects.get().grants == {Module.ALL}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--account", "PA-999-999", "--name", "x", "--all-modules"),
            "There is no account PA-999-999",
        ),
        (
            ("--account", "Twice", "--name", "x", "--all-modules"),
            "Several accounts have the name Twice",
        ),
        (
            ("--account", "Mighty Mick's LLC", "--name", "TAKEN", "--all-modules"),
            "A token with the name",
        ),
        (
            ("--account", "Mighty Mick's LLC", "--name", " ", "--all-modules"),
            "The name must have 1 to 128 characters.",
        ),
        (
            ("--account", "Mighty Mick's LLC", "--name", "x" * 129, "--all-modules"),
            "The name must have 1 to 128 characters.",
        ),
    ],
)
def test_a_mistake_is_told_with_exit_code_2(
    account: Account,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, str, str, str, str],
    words: str,
) -> None:
    AccountFactory.create_batch(2, name="Twice")
    TokenFactory(account=account, name="Taken")
    with pytest.raises(CommandError) as problem:
        run(capsys, *arguments)
    assert words in str(problem.value)
    assert problem.value.returncode == 2
    assert Token.objects.count() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--name", "x", "--all-modules"),
        ("--account", "x", "--name", "x"),
        ("--account", "x", "--name", "x", "--module", "nope"),
        ("--account", "x", "--name", "x", "--module", "usage", "--all-modules"),
    ],
)
def test_wrong_arguments_are_refused_by_the_shell_with_exit_code_2(
    arguments: tuple[str, ...],
) -> None:
    import os
    import subprocess
    import sys

    from django.conf import settings

    done = subprocess.run(
        [sys.executable, "manage.py", "create_token", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage" in done.stderr
