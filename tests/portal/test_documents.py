"""What the documents name exists: pages, pictures, commands, the format of keys for scanners."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from modules.urls import RESOURCES
from tokens import keys

ROOT = Path(settings.BASE_DIR)
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
# Keeps a page quick to open on a slow connection.
PICTURE_BYTES = 150 * 1024


def code_in(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_of_a_page_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    pictures = re.findall(r'src(?:set)?="([^"]+)"', page.read_text())
    for target in [*links, *pictures]:
        assert (page.parent / target).exists(), target


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert pictures
    assert all(picture.stat().st_size < PICTURE_BYTES for picture in pictures)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page: Path) -> None:
    for name in re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.[a-z]+)?)`", page.read_text()):
        # Made by `make run`, so absent from a fresh checkout.
        assert name.startswith("var/") or (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(
        re.findall(r"`[^`\n]+`|^```sh\n.+?^```", page.read_text(), re.DOTALL | re.MULTILINE)
    )
    assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= targets
    assert set(re.findall(r"manage\.py ([a-z_]+)", code)) <= set(get_commands())


def test_the_page_about_the_api_names_every_collection() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    for resource in RESOURCES:
        name = resource.path.rpartition("<parent>/")[2]
        assert f"/{name}`" in page or f"`{name}`" in page, resource.path


def test_scanners_are_told_the_format_of_real_keys() -> None:
    page = ROOT / "SECURITY.md"
    (rule,) = re.findall(r"^regex = '''(.+)'''", page.read_text(), re.MULTILINE)
    scope: dict[str, object] = {}
    (example,) = code_in(page, "python")
    exec(example, scope)  # noqa: S102 (a document of our own)
    is_key = scope["is_key"]
    assert callable(is_key)
    for _ in range(20):
        key = keys.mint("SU-160-984-311")
        (found,) = re.findall(rule, f"Authorization: {key.header}\n")
        assert found == f"{key.token_id}:{key.secret}"
        assert is_key(found)
        assert not is_key(found.replace("SU-160", "SU-161"))
