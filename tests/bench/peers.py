"""The list of agreements as it is usually built: same rows, same JSON, same Content-Range.

The rows come from the portal's own QuerySet. The peers need not find out whose rows they are, nor
check the grant of a module; the portal does both.
"""

from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from knox.auth import TokenAuthentication as KnoxAuthentication
from ninja import NinjaAPI, Query, Schema
from ninja.security import APIKeyHeader
from pydantic import PlainSerializer, create_model
from rest_framework import fields, serializers
from rest_framework.authentication import TokenAuthentication
from rest_framework.generics import ListAPIView
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework_api_key.permissions import HasAPIKey

from modules.agreements import AGREEMENTS
from modules.models import Agreement
from tests.bench.models import NinjaKey
from tests.bench.rows import ACCOUNT
from tests.bench.shape import (
    AGREEMENT,
    RELATIONS,
    Column,
    Constant,
    columns,
    from_objects,
    from_rows,
)
from tokens.gate import Caller

LIMIT, MAXIMUM = 100, 1000


def agreements() -> QuerySet[Agreement]:
    """Return what the portal's own list shows to the account."""
    return AGREEMENTS.queryset(Caller("SU-000-000-000", ACCOUNT, "distributor"))


def content_range(offset: int, length: int, total: int) -> str:
    return f"items {offset}-{offset + max(length - 1, 0)}/{total}"


# --- A plain view ---------------------------------------------------------------------------------

COLUMNS = [column.path for column in columns(AGREEMENT)]
record = from_rows(AGREEMENT)


def plain_uncounted(request: HttpRequest) -> HttpResponse:
    """Answer as `plain`, without counting the total."""
    limit, offset = int(request.GET.get("limit", LIMIT)), int(request.GET.get("offset", 0))
    rows = agreements().values_list(*COLUMNS)[offset : offset + limit]
    return JsonResponse([record(row) for row in rows], safe=False)


def plain(request: HttpRequest) -> HttpResponse:
    """Answer without a gate: the minimum cost of the list in plain Django."""
    limit, offset = int(request.GET.get("limit", LIMIT)), int(request.GET.get("offset", 0))
    total = agreements().count()
    rows = agreements().values_list(*COLUMNS)[offset : offset + limit]
    page = [record(row) for row in rows]
    return JsonResponse(
        page, safe=False, headers={"Content-Range": content_range(offset, len(page), total)}
    )


# --- Django REST framework, django-rest-knox, djangorestframework-api-key -------------------------


class Moment(fields.ReadOnlyField):
    def to_representation(self, value: datetime) -> str:
        return value.isoformat(timespec="seconds")


class Group(fields.ReadOnlyField):
    """A nested object, or a constant."""

    def __init__(self, value: Any) -> None:
        super().__init__(source="*")
        self.build = (
            (lambda row: value.value) if isinstance(value, Constant) else from_objects(value)
        )

    def to_representation(self, value: Any) -> Any:
        return self.build(value)


def declared(name: str, value: Any) -> dict[str, fields.Field]:
    """Return the fields that a ModelSerializer cannot derive from the model."""
    if not isinstance(value, Column):
        return {name: Group(value)}
    source = {} if name == value.path else {"source": value.path}
    if value.type is datetime:
        return {name: Moment(**source)}
    return {name: fields.ReadOnlyField(**source)} if source else {}


class Meta:
    model = Agreement
    fields = tuple(AGREEMENT)


own_fields = {
    name: field for key, value in AGREEMENT.items() for name, field in declared(key, value).items()
}
AgreementSerializer = type(
    "AgreementSerializer", (serializers.ModelSerializer,), {"Meta": Meta, **own_fields}
)


class Pagination(LimitOffsetPagination):
    default_limit, max_limit = LIMIT, MAXIMUM

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            data, headers={"Content-Range": content_range(self.offset, len(data), self.count)}
        )


class DrfList(ListAPIView):
    serializer_class = AgreementSerializer
    pagination_class = Pagination

    def get_queryset(self) -> QuerySet[Agreement]:
        return agreements().select_related(*RELATIONS)


class DrfToken(DrfList):
    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)


class Knox(DrfList):
    authentication_classes = (KnoxAuthentication,)
    permission_classes = (IsAuthenticated,)


class ApiKey(DrfList):
    authentication_classes = ()
    permission_classes = (HasAPIKey,)


# --- django-ninja ---------------------------------------------------------------------------------


class KeyHeader(APIKeyHeader):
    param_name = "X-API-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> NinjaKey | None:
        return NinjaKey.objects.filter(key=key, active=True).first()


def annotation(value: Any) -> Any:
    if isinstance(value, Column):
        return (
            Annotated[
                datetime, PlainSerializer(lambda moment: moment.isoformat(timespec="seconds"))
            ]
            if value.type is datetime
            else value.type
        )
    return str if isinstance(value, Constant) else dict[str, Any]


def resolver(value: Any) -> Any:
    """Return a resolver for a value of ninja's Schema that is not an attribute of that name."""
    return staticmethod(
        (lambda row: value.value)
        if isinstance(value, Constant)
        else (lambda row: getattr(row, value.path))
    )


def resolvers() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in AGREEMENT.items():
        if isinstance(value, dict):
            found[f"resolve_{name}"] = staticmethod(from_objects(value))
        elif isinstance(value, Constant) or name != value.path:
            found[f"resolve_{name}"] = resolver(value)
    return found


Resolvers: Any = type("Resolvers", (Schema,), resolvers())
FIELDS: dict[str, Any] = {name: (annotation(value), ...) for name, value in AGREEMENT.items()}
AgreementOut = create_model("AgreementOut", __base__=Resolvers, **FIELDS)

api = NinjaAPI(docs_url=None, openapi_url=None)


@api.get("/ninja", auth=KeyHeader(), response=list[AgreementOut])  # type: ignore[valid-type]
def ninja_agreements(
    request: HttpRequest,
    response: HttpResponse,
    limit: int = Query(LIMIT, ge=0, le=MAXIMUM),
    offset: int = Query(0, ge=0),
) -> list[Agreement]:
    total = agreements().count()
    page = list(agreements().select_related(*RELATIONS)[offset : offset + limit])
    response["Content-Range"] = content_range(offset, len(page), total)
    return page


(ninja,) = (pattern.callback for pattern in api.urls[0] if str(pattern.pattern) == "ninja")
