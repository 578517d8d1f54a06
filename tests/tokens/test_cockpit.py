"""What the cockpit says and offers while calls with a key are refused anyway."""

from tests.conftest import Person
from tests.tokens.test_rotation import old_key, page, press, renewed
from tokens.models import Token


def test_a_rehearsal_that_would_show_nothing_is_refused(michael: Person, token: Token) -> None:
    renewed(token)
    token.disable(by=None)
    assert "key/rehearse/" not in page(michael.client, token).text
    assert "because the token is disabled." in press(michael.client, token, "rehearse").text
    assert old_key(token).rehearsed_until is None
