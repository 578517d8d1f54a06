"""What the portal does by itself because of policies.

It warns of idle tokens and disables them, and destroys the copies of keys that must not be kept.

The gate and the pages do not wait for it: they go by the policies alone. Several processes may do
it at the same time.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mails
from accounts.mails import Fact, Kind, Mail, Step
from accounts.models import Account
from activity.actions import Action
from activity.models import Subject
from activity.recording import record
from portal import text
from tokens.models import IdleNotice, NextPolicy, Policy, Token, TokenKey


def settle() -> tuple[int, int]:
    """Do what the policies demand now. Return how many tokens were warned of and disabled."""
    begin()
    destroy_copies()
    warned = disabled = 0
    with_limit = Q(idle_days__isnull=False) | Q(next__idle_days__isnull=False)
    for policy in Policy.objects.filter(with_limit).select_related("next"):
        for token in idle_soon(policy):
            if token.is_idle:
                disabled += token.disable_idle()
            elif token.idles_at:
                warned += warn(token)
    return warned, disabled


def begin() -> None:
    """Move policies whose day has come to the row of the present ones."""
    for following in NextPolicy.objects.filter(starts_at__lte=timezone.now()):
        with transaction.atomic():
            # The lock that saving policies takes.
            Account.objects.select_for_update(no_key=True).get(pk=following.policy_id)
            row = NextPolicy.objects.filter(pk=following.pk, starts_at=following.starts_at).first()
            if row:
                Policy.put(row.pk, row.values)


def destroy_copies() -> None:
    """Destroy the sealed copies of keys where these are shown only once. The keys still work."""
    strict = Policy.objects.filter(show_once=True, account__token__keys__sealed__isnull=False)
    for policy in strict.select_related("account").distinct():
        stored = TokenKey.objects.filter(token__account=policy.pk).exclude(sealed=None)
        with transaction.atomic():
            count = stored.update(sealed=None)
            if count:
                about = Subject("policy", policy.pk, policy.account.name)
                record(
                    None,
                    Action.COPIES_DESTROYED,
                    about,
                    {"copies": [count, 0]},
                    account=policy.pk,
                )


def idle_soon(policy: Policy) -> Iterator[Token]:
    """Yield the tokens of an account that are idle, or will be within the days of warning."""
    both = (policy, getattr(policy, "next", policy))
    limits = [each for each in both if each.idle_days]
    least = min((each.idle_days or 0) - each.warn_days for each in limits)
    now = timezone.now()
    before = now - timedelta(days=max(least, 0))
    warned_before = now + timedelta(days=max(each.warn_days for each in limits))
    rows = Token.objects.of_account(policy.pk).filter(
        Q(status_changed_at=None) | Q(status_changed_at__lte=before), status=Token.Status.ACTIVE
    )
    quiet = rows.annotate(seen=Coalesce("usage__last_used_at", F("created_at")))
    for token in quiet.filter(seen__lte=before).with_standing().iterator(chunk_size=500):
        if token.idles_at and token.idles_at <= warned_before:
            yield token


@transaction.atomic
def warn(token: Token) -> bool:
    """Tell the administrators that a token will be disabled; return False if they know already."""
    if not IdleNotice.claim(token):
        return False
    people = mails.administrators(token.account, Kind.IDLE)
    mails.send(Kind.IDLE, people, mail_about(token))
    return True


def mail_about(token: Token) -> Mail:
    name, day = text.isolate(token.name), text.day(token.idles_at or timezone.now())
    following, _starts_at = Policy.planned(token.account)
    days = token.policy.idle_days or following.idle_days or 0
    words = {"day": day, "key": token.noun, "called": token.called_with}
    return Mail(
        subject=_("%(name)s is unused and will be disabled") % {"name": name},
        preview=_("On %(day)s its %(key)s stops, unless it is used before.") % words,
        state=_("Unused"),
        title=_("%(name)s is disabled on %(day)s") % {"name": name, "day": day},
        text=_(
            "A policy of the account disables tokens that make no call in %(days)s days. It can be "
            "enabled again at any time."
        )
        % {"days": f"{days:,}"},
        facts=[
            Fact(_("Token"), name, token.pk),
            Fact(_("Account"), text.isolate(token.account.name), token.account_id),
            Fact(
                _("Last used"),
                mails.in_utc(token.last_used_at) if token.last_used_at else _("Never"),
            ),
        ],
        steps=[
            Step(_("Still needed?"), _("One call with the %(called)s is enough.") % words),
            Step(_("Not needed?"), _("There is nothing to do.")),
        ],
    )
