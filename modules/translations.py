"""The resource `/public/v1/localization/translations`: the texts of products.

Here, a product has one translation, in the language that its texts were written in. Connect serves
the texts of a translation as a workbook, which `ccli product export` reads.
"""

from collections.abc import Sequence
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from django.http import HttpResponse

from api.answers import READ, method_not_allowed, not_found
from api.resource import Resource
from api.shapes import Constant, events, reference
from modules.models import Product
from tokens.catalog import Module
from tokens.gate import ApiRequest
from tokens.permissions import requires_module

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# The columns with the texts of a translation.
TEXTS = ("name", "short_description", "detailed_description")

TRANSLATIONS = Resource(
    "localization/translations",
    Module.PRODUCTS,
    lambda caller: Product.objects.visible_to(caller),
    about=(
        "Texts of products. Each product has one translation with the same id, in the language its "
        "texts were written in."
    ),
    fields={
        "id": "id",
        "description": Constant(""),
        "context": {"id": "id", "instance_id": "id", "type": Constant("product"), "name": "name"},
        "owner": reference("vendor"),
        "locale": {"id": Constant("EN-GB"), "name": Constant("English (United Kingdom)")},
        "primary": Constant(value=True),
        "auto": {"enabled": Constant(value=False), "status": Constant("off")},
        "status": Constant("active"),
        "stats": {"translated": Constant(len(TEXTS)), "total": Constant(len(TEXTS))},
        "events": events(created="created_at", updated="updated_at"),
    },
)


@requires_module(Module.PRODUCTS)
def attributes(request: ApiRequest, pk: str) -> HttpResponse:
    """Return the texts of a translation as a workbook."""
    if request.method not in READ:
        return method_not_allowed(READ)
    product = Product.objects.visible_to(request.token).filter(pk=pk).values(*TEXTS).first()
    if product is None:
        return not_found(pk)
    rows = [
        ("key", "original value", "value"),
        *((name, product[name], product[name]) for name in TEXTS),
    ]
    return HttpResponse(workbook("Attributes", rows), content_type=WORKBOOK)


# --- A minimal workbook (ECMA-376, Office Open XML) -----------------------------------------------

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
FORMATS = "http://schemas.openxmlformats.org"
MAIN, RELATIONS = (
    f"{FORMATS}/spreadsheetml/2006/main",
    f"{FORMATS}/officeDocument/2006/relationships",
)
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(title: str, rows: Sequence[Sequence[str]]) -> bytes:
    """Return a workbook (xlsx) with one sheet of strings."""
    cells = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{FORMATS}/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sheet.xml" ContentType="{KIND}.worksheet+xml"/></Types>',
        "_rels/.rels": related("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
        f'<sheet name="{title}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": related("worksheet", "sheet.xml"),
        "xl/sheet.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>',
    }
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, HEAD + part)
    return file.getvalue()


def cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def related(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{FORMATS}/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{RELATIONS}/{kind}" Target="{target}"/></Relationships>'
    )
