"""Every URL of the portal: what it answers to whom, and an address to try it at."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver

from accounts.models import User
from portal.addresses import read_span
from tests.webhooks.factories import make_webhook
from tokens.catalog import Module
from tokens.models import IPRule, Token, TokenDraft
from webhooks.models import Delivery, Webhook, WebhookDraft
from webhooks.outbox import send_test

# Route -> the status of a GET by nobody, a member, an administrator, another account's
# administrator. "sign-in" is a redirect to that page, 302 any other redirect.
PAGES = {
    "portal:home": ("sign-in", 302, 302, 302),
    "portal:start_over": ("sign-in", 302, 302, 302),
    "admin_sign_in": (302, 403, 403, 403),
    "accounts:sign_in": (200, 302, 302, 302),
    "accounts:sign_out": ("sign-in", 302, 302, 302),
    "accounts:profile": ("sign-in", 200, 200, 200),
    "accounts:notifications": ("sign-in", 200, 200, 200),
    "accounts:test_mail": ("sign-in", 302, 302, 302),
    "accounts:security": ("sign-in", 200, 200, 200),
    "accounts:end_session": ("sign-in", 302, 302, 302),
    "accounts:end_others": ("sign-in", 302, 302, 302),
    "accounts:second_step": (302, 302, 302, 302),
    "accounts:passkey_sign_in": (302, 302, 302, 302),
    "accounts:passkey_sign_in_options": (302, 302, 302, 302),
    "accounts:set_up_two_step": ("sign-in", 200, 200, 200),
    "accounts:switch_off_two_step": ("sign-in", 302, 302, 302),
    "accounts:spare_codes": ("sign-in", 302, 302, 302),
    "accounts:download_codes": ("sign-in", 302, 302, 302),
    "accounts:add_passkey": ("sign-in", 302, 302, 302),
    "accounts:remove_passkey": ("sign-in", 302, 302, 302),
    "accounts:passkey_options": ("sign-in", 302, 302, 302),
    "accounts:people": ("sign-in", 403, 200, 200),
    "accounts:change_role": ("sign-in", 302, 302, 302),
    "accounts:remove_member": ("sign-in", 302, 302, 302),
    "accounts:withdraw_invitation": ("sign-in", 302, 302, 302),
    "accounts:invitation": (404, 404, 404, 404),
    "accounts:join": ("sign-in", 302, 302, 302),
    "accounts:session": ("sign-in", 200, 200, 200),
    "accounts:switch": ("sign-in", 302, 302, 302),
    "accounts:theme": (302, 302, 302, 302),
    "accounts:password_change": ("sign-in", 200, 200, 200),
    "accounts:password_reset": (200, 200, 200, 200),
    "accounts:password_reset_sent": (200, 200, 200, 200),
    "accounts:password_reset_complete": (200, 200, 200, 200),
    "accounts:password_reset_confirm": (200, 200, 200, 200),
    "general:start": ("sign-in", 200, 200, 200),
    "general:reference": ("sign-in", 200, 200, 200),
    "general:calls": ("sign-in", 200, 200, 200),
    "general:selftest": ("sign-in", 200, 200, 200),
    "general:header": (200, 200, 200, 200),
    "api:openapi": (200, 200, 200, 200),
    "api:icon": (200, 200, 200, 200),
    "tokens:list": ("sign-in", 200, 200, 200),
    "tokens:save_layout": ("sign-in", 302, 302, 302),
    "tokens:dismiss_reminders": ("sign-in", 302, 302, 302),
    "tokens:calendar": ("sign-in", 200, 200, 200),
    "tokens:renew_calendar": ("sign-in", 302, 302, 302),
    "tokens:withdraw_calendar": ("sign-in", 302, 302, 302),
    "tokens:feed": (404, 404, 404, 404),
    "tokens:new": ("sign-in", 403, 200, 200),
    "tokens:draft": ("sign-in", 403, 200, 404),
    "tokens:detail": ("sign-in", 200, 200, 404),
    "tokens:permissions": ("sign-in", 200, 200, 404),
    "tokens:save_permissions_layout": ("sign-in", 302, 302, 302),
    "tokens:activity": ("sign-in", 200, 200, 404),
    "tokens:summary": ("sign-in", 302, 302, 404),
    "tokens:edit": ("sign-in", 403, 200, 404),
    "tokens:destroy_copy": ("sign-in", 403, 200, 404),
    "tokens:extend": ("sign-in", 403, 302, 404),
    "tokens:reveal": ("sign-in", 302, 302, 302),
    "tokens:copy": ("sign-in", 302, 302, 302),
    # Without an old key, its dialogs lead to the page of the token.
    "tokens:new_key": ("sign-in", 403, 200, 404),
    "tokens:extend_key": ("sign-in", 403, 302, 404),
    "tokens:retire_key": ("sign-in", 403, 302, 404),
    "tokens:rehearse_key": ("sign-in", 403, 302, 404),
    "tokens:end_rehearsal": ("sign-in", 302, 302, 302),
    "tokens:cancel_renewal": ("sign-in", 302, 302, 302),
    "tokens:enable": ("sign-in", 302, 302, 302),
    "tokens:disable": ("sign-in", 302, 302, 302),
    "tokens:delete": ("sign-in", 403, 200, 404),
    "tokens:add_ip_rule": ("sign-in", 403, 200, 404),
    "rules:list": ("sign-in", 200, 200, 200),
    "rules:save_layout": ("sign-in", 302, 302, 302),
    "rules:add": ("sign-in", 403, 200, 200),
    "rules:edit": ("sign-in", 403, 200, 404),
    "rules:delete": ("sign-in", 403, 200, 404),
    "demo:receiver": (401, 401, 401, 401),
    "demo:failing_receiver": (401, 401, 401, 401),
    "demo:slow_receiver": (401, 401, 401, 401),
    "demo:gone_receiver": (401, 401, 401, 401),
    "webhooks:list": ("sign-in", 200, 200, 200),
    "webhooks:save_layout": ("sign-in", 302, 302, 302),
    "webhooks:new": ("sign-in", 403, 200, 200),
    "webhooks:address": ("sign-in", 302, 302, 302),
    "webhooks:draft": ("sign-in", 403, 200, 404),
    "webhooks:typed": ("sign-in", 302, 302, 302),
    "webhooks:detail": ("sign-in", 200, 200, 404),
    "webhooks:summary": ("sign-in", 302, 302, 404),
    "webhooks:edit": ("sign-in", 403, 200, 404),
    "webhooks:edit_typed": ("sign-in", 302, 302, 302),
    "webhooks:activity": ("sign-in", 200, 200, 404),
    "webhooks:enable": ("sign-in", 302, 302, 302),
    "webhooks:disable": ("sign-in", 302, 302, 302),
    "webhooks:pause": ("sign-in", 302, 302, 302),
    "webhooks:resume": ("sign-in", 302, 302, 302),
    "webhooks:delete": ("sign-in", 403, 200, 404),
    "webhooks:test": ("sign-in", 302, 302, 302),
    "webhooks:reveal": ("sign-in", 403, 302, 404),
    "webhooks:copy": ("sign-in", 403, 302, 404),
    "webhooks:new_secret": ("sign-in", 403, 200, 404),
    "webhooks:deliveries": ("sign-in", 200, 200, 404),
    "webhooks:save_deliveries_layout": ("sign-in", 302, 302, 302),
    # Nothing was given up.
    "webhooks:redeliver_failed": ("sign-in", 403, 302, 404),
    "webhooks:recover": ("sign-in", 403, 302, 404),
    "webhooks:cancel_replay": ("sign-in", 302, 302, 302),
    "webhooks:delivery": ("sign-in", 200, 200, 404),
    "webhooks:redeliver": ("sign-in", 302, 302, 302),
    "webhooks:stop": ("sign-in", 302, 302, 302),
    "extensions:list": ("sign-in", 200, 200, 200),
    "extensions:installed": ("sign-in", 200, 200, 200),
    # Anybody may load the icon, of which there is none.
    "extensions:icon": (404, 404, 404, 404),
    "extensions:detail": ("sign-in", 200, 200, 200),
    "tokens:policies": ("sign-in", 200, 200, 200),
    "tokens:restore": ("sign-in", 302, 302, 302),
    "activity:list": ("sign-in", 200, 200, 200),
    "activity:save_layout": ("sign-in", 302, 302, 302),
    "activity:check": ("sign-in", 302, 302, 302),
    "activity:export": ("sign-in", 302, 302, 302),
}

# Route -> the status of a POST without data by the same four.
FORMS = {
    "portal:home": ("sign-in", 405, 405, 405),
    "portal:start_over": ("sign-in", 302, 302, 302),
    "admin_sign_in": (302, 403, 403, 403),
    "accounts:sign_in": (200, 302, 302, 302),
    "accounts:sign_out": ("sign-in", "sign-in", "sign-in", "sign-in"),
    "accounts:profile": ("sign-in", 200, 200, 200),
    "accounts:notifications": ("sign-in", 200, 302, 302),
    "accounts:test_mail": ("sign-in", 302, 302, 302),
    "accounts:security": ("sign-in", 405, 405, 405),
    "accounts:end_session": ("sign-in", 302, 302, 302),
    "accounts:end_others": ("sign-in", 302, 302, 302),
    "accounts:second_step": (302, 302, 302, 302),
    "accounts:passkey_sign_in": (302, 302, 302, 302),
    "accounts:passkey_sign_in_options": (200, 200, 200, 200),
    "accounts:set_up_two_step": ("sign-in", 302, 302, 302),
    "accounts:switch_off_two_step": ("sign-in", 302, 302, 302),
    "accounts:spare_codes": ("sign-in", 302, 302, 302),
    "accounts:download_codes": ("sign-in", 302, 302, 302),
    "accounts:add_passkey": ("sign-in", 302, 302, 302),
    "accounts:remove_passkey": ("sign-in", 404, 404, 404),
    "accounts:passkey_options": ("sign-in", 200, 200, 200),
    "accounts:people": ("sign-in", 403, 200, 200),
    "accounts:change_role": ("sign-in", 403, 404, 404),
    "accounts:remove_member": ("sign-in", 403, 404, 404),
    "accounts:withdraw_invitation": ("sign-in", 403, 404, 404),
    "accounts:invitation": (404, 404, 404, 404),
    "accounts:join": ("sign-in", 404, 404, 404),
    "accounts:session": ("sign-in", 302, 302, 302),
    "accounts:switch": ("sign-in", 404, 404, 404),
    "accounts:theme": (302, 302, 302, 302),
    "accounts:password_change": ("sign-in", 200, 200, 200),
    "accounts:password_reset": (200, 200, 200, 200),
    "accounts:password_reset_sent": (405, 405, 405, 405),
    "accounts:password_reset_complete": (405, 405, 405, 405),
    "accounts:password_reset_confirm": (200, 200, 200, 200),
    "general:start": ("sign-in", 405, 405, 405),
    "general:reference": ("sign-in", 405, 405, 405),
    "general:calls": ("sign-in", 405, 405, 405),
    "general:selftest": ("sign-in", 405, 405, 405),
    "general:header": (405, 405, 405, 405),
    "api:openapi": (405, 405, 405, 405),
    "api:icon": (405, 405, 405, 405),
    "tokens:list": ("sign-in", 405, 405, 405),
    "tokens:save_layout": ("sign-in", 302, 302, 302),
    "tokens:dismiss_reminders": ("sign-in", 403, 302, 302),
    "tokens:calendar": ("sign-in", 405, 405, 405),
    "tokens:renew_calendar": ("sign-in", 200, 200, 200),
    "tokens:withdraw_calendar": ("sign-in", 302, 302, 302),
    "tokens:feed": (405, 405, 405, 405),
    "tokens:new": ("sign-in", 403, 200, 200),
    "tokens:draft": ("sign-in", 403, 200, 404),
    "tokens:detail": ("sign-in", 405, 405, 405),
    "tokens:permissions": ("sign-in", 405, 405, 405),
    "tokens:save_permissions_layout": ("sign-in", 302, 302, 404),
    "tokens:activity": ("sign-in", 405, 405, 405),
    "tokens:summary": ("sign-in", 405, 405, 405),
    "tokens:edit": ("sign-in", 403, 200, 404),
    "tokens:destroy_copy": ("sign-in", 403, 302, 404),
    "tokens:extend": ("sign-in", 403, 302, 404),
    "tokens:reveal": ("sign-in", 403, 200, 404),
    "tokens:copy": ("sign-in", 403, 200, 404),
    "tokens:new_key": ("sign-in", 403, 200, 404),
    "tokens:extend_key": ("sign-in", 403, 302, 404),
    "tokens:retire_key": ("sign-in", 403, 302, 404),
    "tokens:rehearse_key": ("sign-in", 403, 302, 404),
    "tokens:end_rehearsal": ("sign-in", 403, 302, 404),
    "tokens:cancel_renewal": ("sign-in", 403, 302, 404),
    "tokens:enable": ("sign-in", 403, 302, 404),
    "tokens:disable": ("sign-in", 403, 302, 404),
    "tokens:delete": ("sign-in", 403, 302, 404),
    "tokens:add_ip_rule": ("sign-in", 403, 200, 404),
    "rules:list": ("sign-in", 405, 405, 405),
    "rules:save_layout": ("sign-in", 302, 302, 302),
    "rules:add": ("sign-in", 403, 200, 200),
    "rules:edit": ("sign-in", 403, 200, 404),
    "rules:delete": ("sign-in", 403, 302, 404),
    "demo:receiver": (401, 401, 401, 401),
    "demo:failing_receiver": (401, 401, 401, 401),
    "demo:slow_receiver": (401, 401, 401, 401),
    "demo:gone_receiver": (401, 401, 401, 401),
    "webhooks:list": ("sign-in", 405, 405, 405),
    "webhooks:save_layout": ("sign-in", 302, 302, 302),
    "webhooks:new": ("sign-in", 403, 200, 200),
    "webhooks:address": ("sign-in", 403, 200, 200),
    "webhooks:draft": ("sign-in", 403, 200, 404),
    "webhooks:typed": ("sign-in", 403, 200, 404),
    "webhooks:detail": ("sign-in", 405, 405, 405),
    "webhooks:summary": ("sign-in", 405, 405, 405),
    "webhooks:edit": ("sign-in", 403, 200, 404),
    "webhooks:edit_typed": ("sign-in", 403, 200, 404),
    "webhooks:activity": ("sign-in", 405, 405, 405),
    "webhooks:enable": ("sign-in", 403, 302, 404),
    "webhooks:disable": ("sign-in", 403, 302, 404),
    "webhooks:pause": ("sign-in", 403, 302, 404),
    "webhooks:resume": ("sign-in", 403, 302, 404),
    "webhooks:delete": ("sign-in", 403, 302, 404),
    "webhooks:test": ("sign-in", 403, 302, 404),
    "webhooks:reveal": ("sign-in", 403, 200, 404),
    "webhooks:copy": ("sign-in", 403, 200, 404),
    "webhooks:new_secret": ("sign-in", 403, 200, 404),
    "webhooks:deliveries": ("sign-in", 405, 405, 405),
    "webhooks:save_deliveries_layout": ("sign-in", 302, 302, 404),
    "webhooks:redeliver_failed": ("sign-in", 403, 302, 404),
    "webhooks:recover": ("sign-in", 403, 302, 404),
    "webhooks:cancel_replay": ("sign-in", 403, 302, 404),
    "webhooks:delivery": ("sign-in", 405, 405, 405),
    "webhooks:redeliver": ("sign-in", 403, 302, 404),
    "webhooks:stop": ("sign-in", 403, 302, 404),
    "extensions:list": ("sign-in", 405, 405, 405),
    "extensions:installed": ("sign-in", 405, 405, 405),
    "extensions:icon": (405, 405, 405, 405),
    "extensions:detail": ("sign-in", 405, 405, 405),
    "tokens:policies": ("sign-in", 403, 302, 302),
    "tokens:restore": ("sign-in", 403, 302, 404),
    "activity:list": ("sign-in", 405, 405, 405),
    "activity:save_layout": ("sign-in", 302, 302, 302),
    "activity:check": ("sign-in", 403, 302, 302),
    "activity:export": ("sign-in", 200, 200, 200),
}

# Collections of a product in the original that the portal does not have.
EMPTY = (
    *("media", "templates", "parameters", "actions", "configurations", "connections"),
    "messages",
)

# Route of the API -> the module it requires; each has a URL for a record as well, except
# LISTS_ONLY.
API = {
    "accounts": None,
    "users": Module.ACCOUNT,
    "accounts/<parent>/users": Module.ACCOUNT,
    "agreements": Module.AGREEMENTS,
    "contracts": Module.CONTRACTS,
    "tier/accounts": Module.CUSTOMERS,
    "tier/account-requests": Module.CUSTOMERS,
    "devops/services": Module.DEVOPS,
    "auth/tokens": Module.INTEGRATIONS,
    "auth/tokens/<parent>/permissions": Module.INTEGRATIONS,
    "extensions": Module.INTEGRATIONS,
    "modules": Module.INTEGRATIONS,
    "notifications/webhooks": Module.INTEGRATIONS,
    "notifications/webhooks/<parent>/deliveries": Module.INTEGRATIONS,
    "notifications/webhooks/<parent>/replays": Module.INTEGRATIONS,
    "helpdesk/cases": Module.HELPDESK,
    "conversations": Module.HELPDESK,
    "conversations/<parent>/messages": Module.HELPDESK,
    "listings": Module.LISTINGS,
    "listing-requests": Module.LISTINGS,
    "marketplaces": Module.MARKETPLACES,
    "hubs": Module.MARKETPLACES,
    "localization/locales": None,
    "partners": Module.PARTNERS,
    "pricing/lists": Module.PRICING,
    "products": Module.PRODUCTS,
    "products/<parent>/items": Module.PRODUCTS,
    "products/<parent>/versions": Module.PRODUCTS,
    **{f"products/<parent>/{name}": Module.PRODUCTS for name in EMPTY},
    "localization/translations": Module.PRODUCTS,
    "categories": Module.PRODUCTS,
    "reporting/reports": Module.REPORTS,
    "assets": Module.SUBSCRIPTIONS,
    "requests": Module.SUBSCRIPTIONS,
    "subscriptions/assets": Module.SUBSCRIPTIONS,
    "subscriptions/requests": Module.SUBSCRIPTIONS,
    "tier/configs": Module.TIER_CONFIG,
    "tier/config-requests": Module.TIER_CONFIG,
    "usage/files": Module.USAGE,
}
LISTS_ONLY = {
    "auth/tokens/<parent>/permissions",
    "products/<parent>/versions",
    *(f"products/<parent>/{name}" for name in EMPTY),
}
ACTIONS = {
    "auth/tokens/<id>/activate": Module.INTEGRATIONS,
    "auth/tokens/<id>/deactivate": Module.INTEGRATIONS,
    "auth/tokens/<id>/rotate": Module.INTEGRATIONS,
    "auth/tokens/<id>/renew": Module.INTEGRATIONS,
    **{
        f"helpdesk/cases/<id>/{action}": Module.HELPDESK
        for action in ("pend", "inquire", "resolve", "close")
    },
    **{
        f"notifications/webhooks/{action}": Module.INTEGRATIONS
        for action in (
            *("<id>/trigger", "<id>/enable", "<id>/disable", "<id>/rotate"),
            *("<id>/ping", "<id>/pause", "<id>/resume", "<id>/replay"),
            "<parent>/replays/<id>/cancel",
            *("<parent>/deliveries/<id>/redeliver", "<parent>/deliveries/<id>/abort"),
        )
    },
    **{
        f"requests/<id>/{action}": Module.SUBSCRIPTIONS
        for action in (
            *("purchase", "approve", "fail", "inquire", "pend"),
            *("schedule", "revoke", "confirm", "assign", "unassign"),
        )
    },
    **{f"tier/account-requests/<id>/{action}": Module.CUSTOMERS for action in ("accept", "ignore")},
    **{
        f"tier/config-requests/<id>/{action}": Module.TIER_CONFIG
        for action in ("approve", "fail", "inquire", "pend", "assign", "unassign")
    },
    **{
        f"listing-requests/<id>/{action}": Module.LISTINGS
        for action in ("submit", "refine", "deploy", "complete", "cancel", "assign", "unassign")
    },
    "subscriptions/requests/<id>/attributes": Module.SUBSCRIPTIONS,
}
GATED = {
    **{f"api:{route}": module for route, module in (API | ACTIONS).items()},
    "api:localization/translations/<id>/attributes": Module.PRODUCTS,
    "api:modules/<id>/settings": Module.INTEGRATIONS,
    **{f"api:{route}/<id>": module for route, module in API.items() if route not in LISTS_ONLY},
}
NOTHING = "api:nothing"


def routes(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, Any]]:
    """Return every named view of the URLconf with its callback, except those of the admin."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from routes(entry, f"{entry.namespace}:" if entry.namespace else namespace)
        elif isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}", entry.callback


def rule_of(token: Token) -> IPRule:
    """Return an IP rule of the account of the token."""
    rule = IPRule.objects.filter(account=token.account).first()
    if rule is None:
        [rule] = IPRule.add(token.account, None, [("Head office", read_span("127.0.0.1"))], by=None)
    return rule


HOOKS_ALONE = tuple(f"webhooks:{name}" for name in ("list", "save_layout", "new", "address"))


def hook_address(route: str, token: Token) -> str:
    """Return the address of a page about a webhook of the token's account."""
    from django.urls import reverse

    if route in {"webhooks:draft", "webhooks:typed"}:
        # The pages are tried as Michael, who created the token.
        maker = token.created_by
        owner = User.objects.get(pk=maker.id if maker else "")
        hook_draft = WebhookDraft.objects.create(account=token.account, owner=owner, label="Draft")
        step = "events" if route == "webhooks:typed" else "general"
        return reverse(route, args=(hook_draft.pk, step))
    webhook = Webhook.objects.filter(account=token.account).first() or make_webhook(token.account)
    delivery = Delivery.objects.filter(webhook=webhook).first() or send_test(webhook, None)
    more = {
        **dict.fromkeys(("webhooks:reveal", "webhooks:copy", "webhooks:new_secret"), ("jwt",)),
        **dict.fromkeys(
            ("webhooks:delivery", "webhooks:redeliver", "webhooks:stop"), (delivery.pk,)
        ),
    }
    return reverse(route, args=(webhook.pk, *more.get(route, ())))


def address(route: str, token: Token, draft: TokenDraft | None) -> str:
    from django.urls import reverse

    if route in {"rules:edit", "rules:delete"}:
        return reverse(route, args=(rule_of(token).pk,))
    if route.startswith("webhooks:") and route not in HOOKS_ALONE:
        return hook_address(route, token)
    arguments = {
        "tokens:draft": (draft.pk if draft else None, "general"),
        "accounts:password_reset_confirm": ("abc", "def"),
        "accounts:invitation": ("abc",),
        "accounts:join": ("abc",),
        "tokens:feed": ("f" * 40,),
        "extensions:icon": ("f" * 64,),
        "extensions:detail": (token.extension_id,),
        **dict.fromkeys(
            (
                "tokens:detail",
                "tokens:permissions",
                "tokens:save_permissions_layout",
                "tokens:activity",
                "tokens:summary",
            ),
            (token.pk,),
        ),
        **dict.fromkeys(
            (
                "tokens:edit",
                "tokens:destroy_copy",
                "tokens:extend",
                "tokens:reveal",
                "tokens:copy",
                "tokens:new_key",
                "tokens:extend_key",
                "tokens:retire_key",
                "tokens:rehearse_key",
                "tokens:end_rehearsal",
                "tokens:cancel_renewal",
                "tokens:enable",
                "tokens:disable",
                "tokens:delete",
                "tokens:add_ip_rule",
                "tokens:restore",
            ),
            (token.pk,),
        ),
    }
    return reverse(route, args=arguments.get(route, ()))
