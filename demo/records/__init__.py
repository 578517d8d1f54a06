"""The business records of the demo: the same in every run, and consistent with each other.

`load()` works in the order of dependencies. Each step adds the records that are missing and passes
all of them on as they are stored, so that new records fit what people have changed since.
"""

from demo.companies import People
from demo.records.base import add, keep, stored
from demo.records.contracts import Sold, agreement, contract, sold_under
from demo.records.conversations import conversations
from demo.records.customers import customer
from demo.records.devops import services
from demo.records.helpdesk import cases
from demo.records.listings import connections, listings, price_lists
from demo.records.marketplaces import countries_and_locales, marketplaces
from demo.records.products import categories, product, product_items
from demo.records.reports import reports
from demo.records.requests import (
    account_requests,
    billing_requests,
    config_requests,
    listing_requests,
    request_items,
)
from demo.records.subscriptions import asset_items, asset_requests, subscriptions
from demo.records.tier_config import tier_configs
from demo.records.usage import usage_files
from modules.models import Listing


def load(per_account: int, people: People) -> None:
    """Add the records that are missing, with `per_account` agreements for each main account."""
    countries_and_locales()
    places = marketplaces()
    # Two of the three pairs concern each main account.
    agreements = [agreement(number) for number in range(-(-per_account * 3 // 2))]
    add(agreements)
    contracts = keep(
        contract(number, of, people) for number, of in enumerate(stored(agreements[:108]))
    )
    category_ids = categories()
    products = keep(product(number, category_ids) for number in range(24))
    items = keep(item for number, of in enumerate(products) for item in product_items(number, of))
    customers = keep(customer(number) for number in range(144))

    sold = [Sold(of, places[of.marketplace_id]) for of in sold_under(contracts, places)]
    prices = price_lists(sold, products)
    offers = [
        offer
        for offer in listings(sold, products, prices)
        if offer.listing.status == Listing.Status.LISTED
    ]
    lines = connections(offers)
    assets = subscriptions(offers, customers, lines)
    asset_items(assets.values(), items)
    requests = keep(
        request
        for number, asset in assets.items()
        for request in asset_requests(number, asset, people)
    )
    add(request_items(requests))
    configs = keep(tier_configs(assets.values(), {each.pk: each for each in customers}, requests))
    config_asked = keep(config_requests(configs))
    keep(account_requests(assets.values()))
    listing_asked = keep(listing_requests(offer.listing for offer in offers))
    keep(billing_requests(assets.values()))
    keep(usage_files(offers, people))
    for records in (
        keep(cases(contracts, offers, people)),
        requests,
        config_asked,
        listing_asked,
    ):
        conversations(records, people)
    reports(people)
    services(products)
