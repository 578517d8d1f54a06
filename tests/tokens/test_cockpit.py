"""What the cockpit says and offers while calls with a key are refused anyway."""

from django.utils import timezone

from tests.conftest import Person
from tests.tokens.test_rotation import DAY, old_key, page, press, renewed
from tokens.models import Token


def test_a_rehearsal_that_would_show_nothing_is_refused(michael: Person, token: Token) -> None:
    renewed(token)
    token.disable(by=None)
    assert "key/rehearse/" not in page(michael.client, token).text
    assert "because the token is disabled." in press(michael.client, token, "rehearse").text
    assert old_key(token).rehearsed_until is None


def test_a_key_that_has_ended_is_offered_no_longer_life(michael: Person, token: Token) -> None:
    Token.objects.update(expires_at=timezone.now() - DAY)
    shown = page(michael.client, token, "key/new/").text
    assert "Rotate: it stops now" in shown
    assert "lives on for a while" not in shown
