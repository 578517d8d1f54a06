"""Records of the demo fit together."""

import pytest
from django.db.models import Count, Exists, F, Model, OuterRef, Q

from accounts.models import Membership, User
from modules.models import (
    Agreement,
    Asset,
    AssetItem,
    Case,
    Connection,
    Contract,
    Customer,
    Environment,
    FulfillmentRequest,
    Listing,
    Marketplace,
    MarketplaceHub,
    PriceList,
    Product,
    Report,
    Service,
    TierConfig,
    UsageFile,
)
from tests.demo.samples import BAYSIDE, FRONT_STREET, MICK, SAMPLES, SOUTHPAW, odd, without_listing
from tokens.models import CallsOfDay, Token
from webhooks.models import Delivery, Webhook
from webhooks.standing import Standing

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "model",
    [model for model in SAMPLES if "vendor" in {field.name for field in model._meta.fields}],
)
def test_vendors_are_vendors_and_distributors_distributors(model: type[Model]) -> None:
    assert not odd(model._default_manager.filter(vendor__side="distributor"))
    if hasattr(model, "provider"):
        assert not odd(model._default_manager.exclude(provider__side="distributor"))


def test_contracts_follow_their_agreement() -> None:
    same = {name: F(f"agreement__{name}") for name in ("vendor", "provider", "marketplace", "type")}
    assert not odd(Contract.objects.exclude(**same))


def test_contracts_are_made_and_signed_by_people_of_the_partner() -> None:
    theirs = Membership.objects.filter(account=OuterRef("owner"))
    assert not odd(Contract.objects.exclude(Exists(theirs.filter(user=OuterRef("creator")))))
    signed = Q(status__in=("active", "terminated"))
    assert not odd(
        Contract.objects.filter(signed).exclude(
            Exists(theirs.filter(user=OuterRef("signee"))), signed_at__isnull=False
        )
    )
    assert not odd(Contract.objects.exclude(signed).exclude(signee=None, signed_at=None))


def test_hubs_of_marketplaces_belong_to_the_same_distributor() -> None:
    assert not odd(MarketplaceHub.objects.exclude(hub__owner=F("marketplace__owner")))
    assert not odd(Marketplace.objects.filter(Q(hubs=None) | Q(countries=None) | Q(locales=None)))


def test_marketplaces_belong_to_the_distributor_of_what_they_are_named_in() -> None:
    for model in (Agreement, Contract, Asset, TierConfig, UsageFile):
        assert not odd(model.objects.exclude(marketplace__owner=F("provider"))), model


def test_customers_buy_through_resellers_of_the_same_pair() -> None:
    children = Customer.objects.exclude(parent=None)
    assert children.exists()
    assert not odd(children.exclude(parent__type="reseller", parent__provider=F("provider")))
    assert not odd(children.exclude(vendor=None).exclude(parent__vendor=F("vendor")))
    assert Customer.objects.filter(type="reseller").exclude(parent=None).exists()


def test_hubs_of_customers_belong_to_their_distributor() -> None:
    assert not odd(Customer.objects.exclude(hub=None).exclude(hub__owner=F("provider")))
    assert Customer.objects.exclude(hub=None).exists()


def test_some_customers_have_bought_nothing_so_that_no_vendor_sees_them() -> None:
    new = Customer.objects.filter(vendor=None)
    assert new.exists()
    assert not Asset.objects.filter(customer__in=new).exists()


def test_listings_are_under_active_contracts_of_distribution_with_the_vendor_of_the_product() -> (
    None
):
    right = Q(
        contract__type="distribution",
        contract__status="active",
        contract__provider=F("provider"),
        contract__vendor=F("vendor"),
    )
    assert not odd(Listing.objects.exclude(right, product__vendor=F("vendor")))


def test_listed_are_published_products_with_a_price_list_in_force() -> None:
    listed = Listing.objects.filter(status="listed")
    assert not odd(listed.exclude(product__status="published"))
    in_force = Q(
        price_list__status="active",
        price_list__vendor=F("vendor"),
        price_list__provider=F("provider"),
    )
    assert not odd(
        listed.exclude(in_force, price_list__currency=F("contract__marketplace__currency"))
    )
    assert not odd(
        listed.exclude(
            Exists(
                PriceList.products.through.objects.filter(
                    pricelist=OuterRef("price_list"), product=OuterRef("product")
                )
            )
        )
    )
    assert not odd(Listing.objects.filter(product__status="draft"))


def test_each_published_product_is_listed_with_each_distributor_of_its_vendor() -> None:
    for provider, vendor in ((MICK, FRONT_STREET), (MICK, BAYSIDE), (SOUTHPAW, FRONT_STREET)):
        listed = Listing.objects.filter(status="listed", provider=provider, product=OuterRef("pk"))
        assert not odd(
            Product.objects.filter(vendor=vendor, status="published").exclude(Exists(listed))
        )


def test_price_lists_belong_to_the_distributor_and_hold_products_of_the_vendor() -> None:
    assert not odd(PriceList.objects.exclude(owner=F("provider")))
    assert not odd(PriceList.objects.filter(products=None))
    assert not odd(
        PriceList.products.through.objects.exclude(product__vendor=F("pricelist__vendor"))
    )
    in_force = Q(status__in=("active", "terminated"))
    assert not odd(PriceList.objects.filter(in_force, activated_at=None))
    assert not odd(PriceList.objects.exclude(in_force).exclude(activated_at=None))


def test_connections_join_a_product_of_the_vendor_and_a_hub_of_the_distributor() -> None:
    assert not odd(
        Connection.objects.exclude(product__vendor=F("vendor"), hub__owner=F("provider"))
    )


def test_the_contract_of_a_subscription_is_active_and_of_its_pair_and_marketplace() -> None:
    right = Q(
        contract__type="distribution",
        contract__status="active",
        contract__provider=F("provider"),
        contract__vendor=F("vendor"),
    )
    for model in (Asset, TierConfig, UsageFile):
        assert not odd(model.objects.exclude(right, contract__marketplace=F("marketplace"))), model


def test_the_product_of_a_subscription_is_listed_under_its_contract() -> None:
    for model in (Asset, TierConfig, UsageFile):
        assert not odd(model.objects.exclude(product__vendor=F("vendor"))), model
        assert not odd(without_listing(model.objects.all())), model


def test_the_connection_of_a_subscription_is_of_its_product_and_a_hub_of_its_marketplace() -> None:
    for model in (Asset, TierConfig):
        serving = MarketplaceHub.objects.filter(
            marketplace=OuterRef("marketplace"), hub=OuterRef("connection__hub")
        )
        assert not odd(
            model.objects.exclude(
                Exists(serving),
                connection__product=F("product"),
                connection__provider=F("provider"),
            )
        ), model


def test_only_customers_for_tests_use_a_connection_for_tests() -> None:
    production = Q(customer__environment="production")
    assert not odd(Asset.objects.filter(production).exclude(connection__type="production"))
    assert not odd(Asset.objects.exclude(production).exclude(connection__type="test"))


def test_a_customer_subscribes_in_a_marketplace_of_its_country() -> None:
    assert not odd(
        Asset.objects.exclude(
            customer__type="customer",
            customer__vendor=F("vendor"),
            customer__provider=F("provider"),
        )
    )
    countries = {
        id: set(Marketplace.objects.get(pk=id).countries.values_list("pk", flat=True))
        for id in Marketplace.objects.values_list("pk", flat=True)
    }
    assert [
        asset.pk
        for asset in Asset.objects.select_related("customer")
        if asset.customer.country.upper() not in countries[asset.marketplace_id]
    ] == []


def test_the_first_tier_of_a_subscription_is_the_reseller_of_its_customer() -> None:
    assert not odd(
        Asset.objects.exclude(customer__parent=None).exclude(reseller=F("customer__parent"))
    )
    assert not odd(Asset.objects.filter(customer__parent=None).exclude(reseller=None))
    assert Asset.objects.exclude(reseller=None).exists()


def test_nothing_is_bought_before_it_can_be() -> None:
    assert not odd(Asset.objects.filter(created_at__lt=F("customer__created_at")))
    assert not odd(Asset.objects.filter(created_at__lt=F("connection__created_at")))
    assert not odd(
        Listing.objects.filter(
            Q(created_at__lt=F("contract__signed_at"))
            | Q(created_at__lt=F("product__published_at"))
        )
    )


def test_a_subscription_has_items_of_its_product_that_are_on_sale() -> None:
    assert not odd(
        AssetItem.objects.exclude(item__product=F("asset__product"), item__status="published")
    )
    assert not odd(Asset.objects.filter(items=None))
    assert not odd(AssetItem.objects.filter(item__type="reservation", quantity=0))


def test_requests_are_between_the_companies_of_their_subscription() -> None:
    assert not odd(
        FulfillmentRequest.objects.exclude(vendor=F("asset__vendor"), provider=F("asset__provider"))
    )
    assert not odd(FulfillmentRequest.objects.filter(created_at__lt=F("asset__created_at")))
    people = Membership.objects.filter(account=OuterRef("vendor"), user=OuterRef("assignee"))
    assert not odd(FulfillmentRequest.objects.exclude(assignee=None).exclude(Exists(people)))


OPEN = ("pending", "inquiring")


@pytest.mark.parametrize("status", Asset.Status.values)
def test_the_requests_of_a_subscription_lead_to_its_status(status: str) -> None:
    for asset in Asset.objects.filter(status=status):
        requests = list(
            FulfillmentRequest.objects.filter(asset=asset)
            .order_by("created_at", "pk")
            .values_list("type", "status")
        )
        (first, outcome), last = requests[0], requests[-1]
        assert first == "purchase", asset
        assert [kind for kind, _ in requests].count("purchase") == 1, asset
        # One after the other: only the last one can be pending.
        assert all(each in {"approved", "failed"} for _, each in requests[:-1]), asset
        done = [kind for kind, each in requests if each == "approved"]
        pauses = [kind for kind in done if kind in {"suspend", "resume"}]
        assert pauses == (["suspend", "resume"] * len(pauses))[: len(pauses)], asset
        if status == "draft":
            assert requests == [("purchase", "draft")], asset
        elif status == "processing":
            assert len(requests) == 1, asset
            assert outcome in {"pending", "inquiring", "tiers_setup"}, asset
        elif status == "active":
            assert outcome == "approved", asset
            assert pauses[-1:] != ["suspend"], asset
            assert "cancel" not in {kind for kind, _ in requests}, asset
        elif status == "suspended":
            assert pauses[-1:] == ["suspend"], asset
            assert "cancel" not in {kind for kind, _ in requests}, asset
        elif status == "terminating":
            assert outcome == "approved", asset
            assert last[0] == "cancel", asset
            assert last[1] in OPEN, asset
        else:
            assert last == ("cancel", "approved") or requests == [("purchase", "failed")], asset


def test_tier_configurations_are_of_resellers_above_a_subscription_to_the_product() -> None:
    first = Asset.objects.filter(product=OuterRef("product"), reseller=OuterRef("customer"))
    second = Asset.objects.filter(
        product=OuterRef("product"), reseller__parent=OuterRef("customer")
    )
    assert not odd(TierConfig.objects.exclude(customer__type="reseller"))
    assert not odd(TierConfig.objects.filter(tier_level=1).exclude(Exists(first)))
    assert not odd(TierConfig.objects.filter(tier_level=2).exclude(Exists(second)))
    assert not odd(
        TierConfig.objects.exclude(customer__vendor=F("vendor"), customer__provider=F("provider"))
    )


def test_a_purchase_that_waits_for_a_reseller_has_a_configuration_in_the_works() -> None:
    waiting = FulfillmentRequest.objects.filter(status="tiers_setup")
    works = TierConfig.objects.filter(
        status="processing",
        product=OuterRef("asset__product"),
        customer=OuterRef("asset__reseller"),
    )
    assert waiting.exists()
    assert not odd(waiting.exclude(Exists(works)))


def test_usage_files_are_of_a_month_and_in_the_currency_of_the_marketplace() -> None:
    assert not odd(UsageFile.objects.exclude(currency=F("marketplace__currency")))
    for usage in UsageFile.objects.all():
        assert usage.period_from.day == 1
        assert (usage.period_from.year, usage.period_from.month) == (
            usage.period_to.year,
            usage.period_to.month,
        )
        assert usage.pk.startswith(f"UF-{usage.period_from:%Y-%m}-")
        assert usage.created_at.date() > usage.period_to
    people = Membership.objects.filter(account=OuterRef("vendor"), user=OuterRef("creator"))
    assert not odd(UsageFile.objects.exclude(Exists(people)))


def test_the_history_of_a_usage_file_fits_its_status() -> None:
    submitted, accepted = (
        Q(status__in=("pending", "rejected", "accepted", "closed")),
        Q(status__in=("accepted", "closed")),
    )
    assert not odd(UsageFile.objects.filter(submitted, submitted_at=None))
    assert not odd(UsageFile.objects.exclude(submitted).exclude(submitted_at=None))
    assert not odd(UsageFile.objects.filter(accepted, accepted_at=None))
    assert not odd(UsageFile.objects.exclude(accepted).exclude(accepted_at=None))
    assert not odd(UsageFile.objects.filter(accepted_at__lt=F("submitted_at")))
    assert not odd(UsageFile.objects.filter(status="rejected", rejection_note=""))


def test_cases_are_between_partners() -> None:
    assert not odd(
        Case.objects.exclude(
            Q(issuer=F("vendor"), receiver=F("provider"))
            | Q(issuer=F("provider"), receiver=F("vendor"))
        )
    )
    partners = Contract.objects.filter(vendor=OuterRef("vendor"), provider=OuterRef("provider"))
    assert not odd(Case.objects.exclude(Exists(partners)))
    assert not odd(Case.objects.exclude(product=None).exclude(product__vendor=F("vendor")))
    assert {None} < set(Case.objects.values_list("product", flat=True))


def test_agents_of_cases_are_people_of_their_companies() -> None:
    for side in ("issuer", "receiver"):
        people = Membership.objects.filter(account=OuterRef(side), user=OuterRef(f"{side}_agent"))
        assert not odd(Case.objects.exclude(**{f"{side}_agent": None}).exclude(Exists(people)))
    assert not odd(Case.objects.filter(issuer_agent=None))
    # Whoever answered is recorded.
    assert not odd(Case.objects.exclude(state="pending").filter(receiver_agent=None))


def test_the_history_of_a_case_fits_its_state() -> None:
    people = dict(User.objects.values_list("pk", "name"))
    for case in Case.objects.all():
        moments = {state: getattr(case, f"{state}_at") for state in Case.State.values}
        happened = {state: at for state, at in moments.items() if at}
        assert max(happened, key=happened.__getitem__) == case.state, case.pk
        assert case.updated_at == happened[case.state], case.pk
        assert min(happened.values()) >= case.created_at, case.pk
        actors = {
            event: getattr(case, f"{event}_by")
            for event in ("created", "updated", *Case.State.values)
        }
        actors = {event: who for event, who in actors.items() if who}
        assert {"created", "updated", *happened} == set(actors), case.pk
        assert "resolved" in happened or case.state != "closed", case.pk
        for who in actors.values():
            assert who == (who.id, people[who.id], ""), case.pk
            assert who.id in {case.issuer_agent_id, case.receiver_agent_id}, case.pk
        assert case.rating is None or case.state == "closed", case.pk
        assert not case.feedback or case.rating, case.pk


def test_the_history_of_a_report_fits_its_status() -> None:
    started, ended = (
        Q(status__in=("running", "succeeded", "failed")),
        Q(status__in=("succeeded", "failed")),
    )
    assert not odd(Report.objects.filter(started, started_at=None))
    assert not odd(Report.objects.exclude(started).exclude(started_at=None))
    assert not odd(Report.objects.filter(ended, terminated_at=None))
    assert not odd(Report.objects.exclude(ended).exclude(terminated_at=None))
    assert not odd(
        Report.objects.filter(
            Q(started_at__lt=F("created_at")) | Q(terminated_at__lt=F("started_at"))
        )
    )
    assert not odd(Report.objects.filter(status="succeeded", size=None))
    assert not odd(Report.objects.filter(status="failed", failure_output=""))


def test_services_have_three_environments_and_work_for_products_of_their_owner() -> None:
    assert not odd(Service.objects.annotate(n=Count("environments")).exclude(n=3))
    assert not odd(Service.products.through.objects.exclude(product__vendor=F("service__owner")))
    assert not odd(Service.objects.filter(type="products", products=None))
    assert not odd(Environment.objects.filter(runtime="local").exclude(type="development"))


def test_what_failed_at_an_endpoint_that_is_gone_can_be_recovered() -> None:
    webhook = Webhook.objects.get(disabled_by=Webhook.Disabled.GONE)
    assert webhook.created_at < webhook.health.last_success_at
    assert Delivery.objects.missed_by(webhook).count() == 3
    assert Standing.of(webhook).missed == "2"
    assert not odd(Delivery.objects.filter(failures__gt=0, failing_since=None))
    assert not odd(Delivery.objects.filter(created_at__lt=F("webhook__created_at")))


def test_tokens_that_were_called_have_calls_on_that_day() -> None:
    used = {(row.pk, row.usage.last_used_at.date()) for row in called()}
    assert used
    assert used == {*CallsOfDay.objects.filter(answered__gt=0).values_list("token", "day")}


@pytest.mark.parametrize("account", [MICK, FRONT_STREET])
def test_calls_were_refused_today_and_before(account: str) -> None:
    rows = CallsOfDay.objects.filter(account=account, refused__gt=0)
    days = {*rows.values_list("day", flat=True)}
    assert max(days) == CallsOfDay.objects.latest("day").day
    assert len(days) > 3
    for day in days:
        # Of tokens that have ended, and of others for what they may not reach.
        active = rows.filter(day=day).values_list("token__status", flat=True).distinct()
        assert Token.Status.ACTIVE in active
        assert len(active) > 1


def called() -> list[Token]:
    return [*Token.objects.exclude(usage__last_used_at=None).select_related("usage")]
