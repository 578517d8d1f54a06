"""Every address below `/public/`. A new collection is one line here."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from modules import account, agreements, contracts, customers, products
from portal.views import page_not_found

app_name = "api"

View = Callable[..., HttpResponse]


def collection(path: str, listing: View, detail: View) -> list[URLPattern]:
    """The two addresses of a collection, with and without a final slash, since a redirect would turn POST into GET.

    The slash after `v1` may be doubled: clients write it so when their endpoint ends in one.
    """
    return [
        re_path(rf"^v1//?{path}/?$", listing, name=path),
        re_path(rf"^v1//?{path}/(?P<pk>[A-Za-z0-9-]{{1,64}})/?$", detail, name=f"{path}-detail"),
    ]


@login_not_required
@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    """What is no collection: JSON, never the portal's page."""
    return page_not_found(request)


urlpatterns = [
    *collection("accounts", account.accounts, account.account),
    *collection("agreements", agreements.agreements, agreements.agreement),
    *collection("contracts", contracts.contracts, contracts.contract),
    *collection("products", products.products, products.product),
    *collection("tier/accounts", customers.customers, customers.customer),
    re_path(r"^.*$", nothing, name="nothing"),
]
