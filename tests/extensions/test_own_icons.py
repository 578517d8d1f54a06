"""Icons that administrators upload: what is kept of a drawing, and how it is served."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.conftest import Person
from tests.extensions.test_admin import CHANGE, NOW, form
from tests.factories import ZAPIER, TokenFactory
from tokens.models import Extension, OwnIcon

SPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
PLAIN = f'<svg {SPACES} viewBox="0 0 24 24"><path fill="#c00" d="M2 2h20v20H2z"/></svg>'


def drawing(inside: str, root: str = "") -> str:
    return f'<svg {SPACES} viewBox="0 0 9 9"{root}>{inside}<path d="M0 0h9"/></svg>'


def upload(staff: Client, data: str | bytes, **more: Any) -> Any:
    content = data.encode() if isinstance(data, str) else data
    file = SimpleUploadedFile("icon.svg", content, "image/svg+xml")
    return staff.post(CHANGE, form(NOW, svg=file, **more))


def stored() -> str:
    icon = Extension.objects.get(pk=ZAPIER).own_icon
    return icon.text if icon else ""


# What is uploaded, what must not be in what is stored, and what the administrator is told of.
HOSTILE: dict[str, tuple[str | bytes, str, str]] = {
    "a script": (drawing("<script>alert(1)</script>"), "alert", "script"),
    "a handler": (drawing("", ' onload="alert(1)"'), "alert", "onload"),
    "a handler of a shape": (drawing('<g onclick="alert(1)"/>'), "alert", "onclick"),
    "a page": (drawing("<foreignObject><b>hi</b></foreignObject>"), "hi", "foreignObject"),
    "HTML": (drawing('<b xmlns="http://www.w3.org/1999/xhtml">hi</b>'), "hi", "b"),
    "a link": (drawing('<a href="javascript:alert(1)"><g/></a>'), "javascript", "a"),
    "an old link": (drawing('<a xlink:href="javascript:alert(1)"/>'), "javascript", "a"),
    "a shape of elsewhere": (drawing('<use href="https://x.example/#a"/>'), "x.example", "href"),
    "a shape of this site": (drawing('<use href="/sign-out/#a"/>'), "sign-out", "href"),
    "an image": (drawing('<image href="https://x.example/a.png"/>'), "x.example", "image"),
    "an image within": (drawing('<image href="data:image/svg+xml,x"/>'), "data:", "image"),
    "an import": (drawing("<style>@import 'https://x.example';</style>"), "x.example", ""),
    "an import before a rule": (
        drawing("<style>@import 'https://x.example'; .a{fill:red}</style>"),
        "x.example",
        "@import",
    ),
    "an address in a rule": (
        drawing("<style>.a{fill:url(https://x.example)}</style>"),
        "x.example",
        "fill",
    ),
    "an escaped address": (
        drawing(r"<style>.a{fill:\75rl(https://x.example)}</style>"),
        "x.example",
        "fill",
    ),
    "an image set": (
        drawing("<style>.a{fill:image-set('https://x.example' 1x)}</style>"),
        "x.example",
        "fill",
    ),
    "a background": (drawing('<g style="background:red"/>'), "background", "background"),
    "an address in an attribute": (
        drawing('<g fill="url(https://x.example#a)"/>'),
        "x.example",
        "fill",
    ),
    "an address in a style": (
        drawing('<g style="fill: URL(//x.example)"/>'),
        "x.example",
        "fill",
    ),
    "markup in a rule": (drawing("<style>a{}&lt;/style>&lt;script></style>"), "script", ""),
    "an animated link": (
        drawing('<animate attributeName="href" to="javascript:alert(1)"/>'),
        "javascript",
        "animate",
    ),
    "a set handler": (drawing('<set attributeName="onload" to="alert(1)"/>'), "alert", "set"),
    "a filter": (drawing('<filter><feImage href="https://x.example"/></filter>'), "x.ex", "filter"),
    "a style sheet": (
        f'<?xml-stylesheet href="https://x.example"?>{PLAIN}',
        "x.example",
        "",
    ),
    "a comment": (drawing("<!-- secret -->"), "secret", ""),
    "another base": (drawing("", ' xml:base="https://x.example"'), "x.example", "base"),
    "a script in UTF-16": (
        drawing("<script>alert(1)</script>").encode("utf-16"),
        "alert",
        "script",
    ),
    "a script behind a mark": (
        drawing("<script>alert(1)</script>").encode("utf-8-sig"),
        "alert",
        "script",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_could_harm_is_left_out_and_the_administrator_is_told(
    staff: Client, name: str
) -> None:
    data, harm, told = HOSTILE[name]
    answer = upload(staff, data)
    assert answer.status_code == 302
    assert harm not in stored()
    assert "<path" in stored()
    said = [str(message) for message in answer.wsgi_request._messages]
    assert any(told in text for text in said if "Left out of the icon" in text) == bool(told)


ENTITIES = '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
PAIRS = "".join(
    f'<g id="a{number}"><use href="#a{number + 1}"/><use href="#a{number + 1}"/></g>'
    for number in range(15)
)
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "entities": (f"{ENTITIES}<svg {SPACES}>&b;</svg>", "defines entities"),
    "a file of the server": (
        f'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg {SPACES}>&a;</svg>',
        "defines entities",
    ),
    "shapes that repeat each other": (drawing(PAIRS), "more than 20 times"),
    "masks that repeat each other": (
        drawing('<g style="mask:url(#a)"/>' * 21),
        "more than 20 times",
    ),
    "too many bytes": (drawing("<g/>" * 8200), "32 KB at most"),
    "too many bytes once written": (drawing(">" * 10_000), "32 KB"),
    "too many parts": (drawing("<g/>" * 1000), "too many parts"),
    "too deep": (drawing("<g>" * 40 + "</g>" * 40), "too many parts"),
    "too deep in what is left out": (drawing("<b>" * 40 + "</b>" * 40), "too many parts"),
    "HTML": ("<html><body>hi</body></html>", "must begin with"),
    "SVG of no namespace": ("<svg><path/></svg>", "must begin with"),
    "text": ("hello", "not an SVG file"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "not an SVG file"),
    "half a drawing": (PLAIN[:-9], "not an SVG file"),
    "an unknown encoding": (f'<?xml version="1.0" encoding="x-none"?>{PLAIN}', "not an SVG file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_icon_is_refused_with_a_sentence(staff: Client, name: str) -> None:
    data, said = REFUSED[name]
    answer = upload(staff, data, label="Kept text")
    assert answer.status_code == 200
    assert said in answer.text
    assert "Kept text" in answer.text
    assert stored() == ""


def test_what_drawing_programs_write_is_kept(staff: Client) -> None:
    kept = (
        "<style>.cls-1{fill:url(#b);stroke:rgb(1 2 3)}</style>"
        '<defs><linearGradient id="b" x2="9" gradientUnits="userSpaceOnUse">'
        '<stop offset="0.5" stop-color="#fff"></stop></linearGradient>'
        '<clipPath id="c"><use href="#d"></use></clipPath></defs>'
        '<g clip-path="url(#c)" transform="translate(1 2)" style="fill:none;opacity:.5">'
        '<path class="cls-1" d="M0 0"></path></g><title>A &amp; B</title>'
    )
    sent = f'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">{PLAIN}'
    assert upload(staff, sent.replace("<path", f"{kept}<path")).status_code == 302
    assert kept in stored()


@pytest.fixture
def address(staff: Client) -> str:
    upload(staff, PLAIN)
    return f"/integrations/extensions/icons/{Extension.objects.get(pk=ZAPIER).own_icon_id}.svg"


def test_an_icon_is_served_as_an_image_that_runs_nothing(address: str) -> None:
    # Nobody has to sign in for it, or caches could not keep it.
    answer = Client().get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers
    assert 'fill="#c00"' in answer.text
    assert Client().get(address.replace("icons/", "icons/0")).status_code == 404
    assert Client().post(address).status_code == 405


def test_an_icon_is_shown_wherever_its_extension_is(
    address: str, michael: Person, staff: Client
) -> None:
    token = TokenFactory(account=michael.account, extension_id=ZAPIER, modules=NOW)
    for page in (
        "/integrations/extensions/",
        "/integrations/extensions/installed/",
        f"/integrations/extensions/{ZAPIER}/",
        "/integrations/tokens/?columns=label,extension",
        f"/integrations/tokens/{token.pk}/",
    ):
        assert f'src="{address}"' in michael.client.get(page).text, page
    draft = michael.client.get(f"/integrations/tokens/new/?extension={ZAPIER}", follow=True)
    assert draft.status_code == 200
    assert f'src="{address}"' in staff.get(CHANGE).text


def test_the_preview_shows_an_icon_and_does_not_lose_it(staff: Client) -> None:
    page = upload(staff, PLAIN, _preview="1").text
    icon = OwnIcon.objects.get()
    assert f'src="/integrations/extensions/icons/{icon.pk}.svg"' in page
    assert f'name="own_icon" value="{icon.pk}"' in page
    assert stored() == ""
    assert staff.post(CHANGE, form(NOW, own_icon=icon.pk)).status_code == 302
    assert stored() == icon.text


def test_an_icon_is_removed_and_the_one_of_the_sprite_is_back(
    address: str, staff: Client, michael: Person
) -> None:
    digest = address.split("/")[-1].removesuffix(".svg")
    assert staff.post(CHANGE, form(NOW, own_icon=digest, no_svg="on")).status_code == 302
    assert stored() == ""
    page = michael.client.get(f"/integrations/extensions/{ZAPIER}/").text
    assert address not in page
    assert "#bolt" in page


def test_icons_that_nothing_uses_are_forgotten_after_a_day(address: str, staff: Client) -> None:
    upload(staff, drawing("<g/>"))
    old, new = OwnIcon.objects.order_by("added_at")
    OwnIcon.objects.filter(pk=old.pk).update(added_at="2026-01-01T00:00Z")
    upload(staff, drawing("<title>third</title>"))
    assert {*OwnIcon.objects.values_list("pk", flat=True)} >= {new.pk}
    assert not OwnIcon.objects.filter(pk=old.pk).exists()
