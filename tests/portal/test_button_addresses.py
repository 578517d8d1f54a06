"""The address of a button, opened by GET, leads to the page of the button."""

import pytest
from django.contrib.auth import SESSION_KEY

from tests.conftest import Person
from tests.portal.routes import PAGES, address
from tokens.models import Token

BUTTONS = {
    "accounts:sign_out": "/",
    "accounts:switch": "/account/",
    "accounts:theme": "/",
    "accounts:test_mail": "/account/notifications/",
    "accounts:switch_off_two_step": "/account/security/",
    "accounts:download_codes": "/account/security/",
    "accounts:add_passkey": "/account/security/",
    "accounts:remove_passkey": "/account/security/",
    "accounts:passkey_options": "/account/security/",
    "accounts:change_role": "/account/people/",
    "accounts:remove_member": "/account/people/",
    "accounts:withdraw_invitation": "/account/people/",
    "accounts:end_session": "/account/security/",
    "accounts:end_others": "/account/security/",
    "tokens:save_layout": "/integrations/tokens/",
    "tokens:save_permissions_layout": "/integrations/tokens/{token}/permissions/",
    "tokens:dismiss_reminders": "/integrations/tokens/",
    "tokens:renew_calendar": "/integrations/calendar/",
    "tokens:withdraw_calendar": "/integrations/calendar/",
    "tokens:reveal": "/integrations/tokens/{token}/",
    "tokens:copy": "/integrations/tokens/{token}/",
    "tokens:end_rehearsal": "/integrations/tokens/{token}/",
    "tokens:cancel_renewal": "/integrations/tokens/{token}/",
    "tokens:enable": "/integrations/tokens/{token}/",
    "tokens:disable": "/integrations/tokens/{token}/",
    "rules:save_layout": "/integrations/ip-rules/",
    "tokens:restore": "/integrations/tokens/{token}/",
    "activity:save_layout": "/integrations/activity/",
    "activity:check": "/integrations/activity/",
}


def test_no_address_of_a_button_is_a_dead_end() -> None:
    """Reloaded or opened from the history, it leads to a page: no route answers a GET with 405."""
    assert not [route for route, answers in PAGES.items() if 405 in answers]


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("route", sorted(BUTTONS))
def test_the_address_of_a_button_leads_to_its_page_and_does_nothing(
    michael: Person, token: Token, route: str, method: str
) -> None:
    before = (
        Token.objects.values().get(),
        token.events.count(),
        michael.client.session.get("account"),
    )
    response = getattr(michael.client, method)(
        address(route, token, draft=None), {"next": "/elsewhere/"}
    )
    assert (response.status_code, response["Location"]) == (
        302,
        BUTTONS[route].format(token=token.pk),
    )
    assert before == (
        Token.objects.values().get(),
        token.events.count(),
        michael.client.session.get("account"),
    )
    assert SESSION_KEY in michael.client.session
    assert "theme" not in response.cookies


@pytest.mark.parametrize("method", ["put", "delete", "options"])
@pytest.mark.parametrize("route", sorted(BUTTONS))
def test_the_address_of_a_button_refuses_every_other_method(
    michael: Person, token: Token, route: str, method: str
) -> None:
    response = getattr(michael.client, method)(address(route, token, draft=None))
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")
