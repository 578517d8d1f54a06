"""The standing of a token: everything that holds for it now, and the sentences that say so.

Every sentence, mark and button about a token comes from here, and so does the reason why the gate
refuses it, so that they all agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import text
from portal.moments import within
from tokens.catalog import Access
from tokens.cockpit import Cockpit, Ended
from tokens.hindrances import (
    POLICIES,
    REMEDIES,
    UNSEEN,
    Hindrance,
    barriers,
    hindered,
    hindrance_text,
    hindrances,
)
from tokens.models import IPRule, State, Token, TokenKey

# A token used within this time counts as in use when somebody wants to take access away from it.
IN_USE = timedelta(days=30)


@dataclass(frozen=True)
class Standing:
    """The standing of a token, as shown to one person.

    `may_manage` says whether they manage the tokens of its account.
    """

    token: Token
    may_manage: bool = False

    @cached_property
    def hindrances(self) -> tuple[Hindrance, ...]:
        expires_at = self.token.expires_at
        found = hindrances(
            self.token.status,
            account_is_active=self.token.account.is_active,
            is_expired=expires_at is not None and expires_at <= timezone.now(),
            has_key=any(not key.is_retired for key in self.token.keys.all()),
            can_check=bool(self.token.usable_keys),
        )
        return found if self.token.is_deleted else (*found, *self.barriers)

    @property
    def barriers(self) -> tuple[Hindrance, ...]:
        aged_at = self.token.aged_at
        return barriers(
            is_aged=aged_at is not None and aged_at <= timezone.now(),
            is_idle=self.token.is_idle,
            lacks_rules=self.token.lacks_rules,
        )

    @property
    def answer(self) -> str:
        """The status code that calls get."""
        return "403" if all(each in POLICIES for each in self.hindrances) else "401"

    # --- Calls ------------------------------------------------------------------------------------

    @property
    def can_call(self) -> bool:
        return not self.hindrances

    @property
    def calls(self) -> str:
        if self.can_call:
            return _("Calls with the %(key)s work.") % {"key": self.token.called_with}
        words = _("Calls with the %(key)s get the answer %(answer)s, because the token %(why)s.")
        why = text.join([each.of(self.token) for each in self.hindrances])
        return words % {"key": self.token.called_with, "answer": self.answer, "why": why}

    @property
    def hindrance_text(self) -> str:
        """Why the API refuses its key, in a sentence."""
        # As the gate, which looks at policies only if nothing else is in the way.
        others = [each for each in self.hindrances if each not in POLICIES]
        return hindrance_text(self.token.pk, others or self.hindrances)

    @property
    def in_use(self) -> bool:
        """Whether programs depend on it: it can call, and did so recently."""
        used = self.token.last_used_at
        return self.can_call and within(used, IN_USE)

    @property
    def idle(self) -> str:
        """The sentence that says that nobody needs the token; `""` if that is not certain."""
        used = self.token.last_used_at
        if used is None:
            return _("Never called: safe to delete.")
        days = (timezone.now() - used).days
        if days < IN_USE.days:
            return ""
        return _("No call in %(n)s days: safe to delete.") % {"n": f"{days:,}"}

    # --- Its status -------------------------------------------------------------------------------

    @cached_property
    def state(self) -> State:
        return self.token.state

    @property
    def label(self) -> str:
        """The word for the state; that there are two keys is in the note."""
        return str((State.ACTIVE if self.state is State.REVITALISED else self.state).label)

    @property
    def mark(self) -> str:
        """The icon before the status.

        An active token that cannot call does not get the green one.
        """
        if any(hindrance in UNSEEN for hindrance in self.hindrances):
            return State.EXPIRED.value
        return (State.ACTIVE if self.state is State.REVITALISED else self.state).value

    @property
    def note(self) -> str:
        """The line below the status: its day, and the hindrances that it does not show."""
        return ", ".join(self.notes)

    @property
    def long_note(self) -> str:
        """The note with the end of the old key, where there is room for it."""
        if self.state is not State.REVITALISED or self.cockpit is None:
            return self.note
        words = {"keys": self.two_keys, "day": text.day(self.cockpit.ends_at)}
        until = _("%(keys)s until %(day)s") % words
        return ", ".join([until, *self.notes[1:]])

    @property
    def notes(self) -> list[str]:
        notes = [each.of(self.token) for each in self.hindrances if each in UNSEEN]
        if self.token.is_deleted and self.token.status_changed_at:
            by = self.token.status_changed_by
            at = text.day_and_time(self.token.status_changed_at)
            notes.append(f"{at}, {by.label}" if by else at)
        if self.token.expires_at and (
            self.state is State.EXPIRING or Hindrance.EXPIRED in self.hindrances
        ):
            words = _("expired on %(day)s") if self.state is State.INACTIVE else _("on %(day)s")
            notes.insert(0, words % {"day": text.day(self.token.expires_at)})
        if self.state is State.REVITALISED:
            notes.insert(0, self.two_keys)
        if self.idles_soon and self.token.idles_at:
            words = _("disabled on %(day)s unless it is used")
            notes.append(words % {"day": text.day(self.token.idles_at)})
        return notes

    @property
    def two_keys(self) -> str:
        old = self.token.old_key
        return old.as_old if old and old.has_handle else _("two keys")

    @property
    def headline(self) -> str:
        """What is wrong with the token, or soon will be; `""` if it can call for long."""
        if self.can_call and not self.token.grants:
            return _("This token may reach no module.")
        if self.can_call:
            return self.ending
        expired = (
            _("expired on %(day)s") % {"day": text.day(self.token.expires_at)}
            if self.token.expires_at
            else ""
        )
        clauses = [
            expired if each is Hindrance.EXPIRED else each.of(self.token)
            for each in self.hindrances
        ]
        return _("This token %(why)s.") % {"why": text.join(clauses)}

    @property
    def ending(self) -> str:
        """The sentence that says that the token expires soon; `""` if it does not."""
        ends = self.token.expires_at
        if self.state is not State.EXPIRING or ends is None:
            return ""
        return _("This token expires %(when)s.") % {"when": text.ahead(ends)}

    @property
    def level(self) -> str:
        """The severity of the headline."""
        if self.can_call:
            return "warning" if self.ending and self.token.grants else "info"
        return "info" if self.token.is_deleted else "warning"

    @property
    def advice(self) -> str:
        """The sentences after the headline: the consequences, and what can be done."""
        if self.can_call and not self.token.grants:
            return _("It can read its own account only.")
        if self.can_call and self.token.expires_at:
            ends = text.day_and_time(self.token.expires_at)
            return _("Its %(key)s stops on %(at)s.") % {"key": self.token.noun, "at": ends}
        if self.can_call:
            return ""
        if Hindrance.DELETED in self.hindrances:
            return _("Its %(key)s is refused.") % {"key": self.token.noun} + " " + self.restoring
        answered = _("Every call with the %(key)s gets the answer %(answer)s.")
        sentences = [answered % {"key": self.token.called_with, "answer": self.answer}]
        if Hindrance.UNCHECKABLE in self.hindrances:
            sentences.append(
                _(
                    "The portal's administrator can restore the pepper that is missing; otherwise "
                    "create a new token."
                )
            )
        if len(self.hindrances) > 1:
            sentences.append(_("It works again once %(remedies)s.") % {"remedies": self.remedies})
        return " ".join(sentences)

    @property
    def remedies(self) -> str:
        noun = {"key": self.token.noun}
        return text.join([str(REMEDIES[hindrance]) % noun for hindrance in self.hindrances])

    # --- What the policies of its account mean for it ---------------------------------------------

    @property
    def end(self) -> str:
        """The day on which its key stops, by its own expiration or by a policy."""
        ends_at = self.token.policy_end or self.token.expires_at
        return text.day(ends_at) if ends_at else _("Never")

    @property
    def end_note(self) -> str:
        return _("by a policy of the account") if self.token.policy_end else ""

    @property
    def idles_soon(self) -> bool:
        """Whether it is about to be disabled, because nobody uses it."""
        idles_at = self.token.idles_at
        warning = timedelta(days=self.token.policy.warn_days)
        return self.can_call and idles_at is not None and idles_at - timezone.now() <= warning

    @property
    def rate(self) -> str:
        """How often it may call, in words that follow "May call"; `""` for any number."""
        if self.token.allowed_rate is None:
            return ""
        rate, burst = self.token.allowed_rate
        words = ngettext(
            "at most %(rate)s time a minute, %(burst)s at once",
            "at most %(rate)s times a minute, %(burst)s at once",
            rate,
        ) % {"rate": f"{rate:,}", "burst": f"{burst:,}"}
        return words if self.token.rate else words + ", " + _("by a policy of the account")

    # --- What it may reach ------------------------------------------------------------------------

    @cached_property
    def access(self) -> Access:
        return self.access_with(self.token.grants)

    def access_with(self, grants: Iterable[str]) -> Access:
        """Return what the token would reach with the given grants."""
        if self.can_call:
            condition = ""
        elif Hindrance.DELETED in self.hindrances:
            condition = _("Before it was deleted")
        else:
            condition = _("Once %(remedies)s") % {"remedies": self.remedies}
        return Access.of({*grants}, condition=condition)

    @property
    def module_marks(self) -> dict[bool, tuple[str, str]]:
        """Icon and word for a module, by whether it was granted.

        If the token cannot call, granted modules are not shown as enabled.
        """
        if self.can_call:
            return {True: ("enabled", _("Enabled")), False: ("disabled", _("Disabled"))}
        return {True: ("inactive", _("Granted")), False: ("disabled", _("Not granted"))}

    # --- Where it may call from -------------------------------------------------------------------

    @cached_property
    def rules(self) -> list[IPRule]:
        """All IP rules that its calls must pass, by name: those of the account and its own."""
        scopes = (self.token.account_id, self.token.pk)
        return [*IPRule.objects.filter(scope__in=scopes).order_by("name_key", "pk")]

    @property
    def own_rules(self) -> list[IPRule]:
        return [rule for rule in self.rules if rule.token_id]

    @property
    def account_rules(self) -> list[IPRule]:
        return [rule for rule in self.rules if not rule.token_id]

    @property
    def call_only_from(self) -> str:
        """The addresses that it may call from, in words; `""` if from any."""
        rules = self.own_rules or self.account_rules
        return text.join_some([str(rule.span) for rule in rules]) if rules else ""

    # --- The key ----------------------------------------------------------------------------------

    @property
    def offers_key(self) -> bool:
        """Whether the person can view and copy the key."""
        return self.may_manage and not self.key_hint

    @cached_property
    def cockpit(self) -> Cockpit | None:
        """What there is to say while the token has two keys; None if it has one."""
        refused = "" if self.can_call else self.calls
        return Cockpit.of(self.token, refused, may_manage=self.may_manage)

    @cached_property
    def ended(self) -> Ended | None:
        """The old key that has ended recently; None if there is none, or there are two keys."""
        return None if self.cockpit or self.token.is_deleted else Ended.of(self.token)

    @property
    def key_hint(self) -> str:
        """Why the key, or the handle that it is behind, cannot be viewed; `""` if it can."""
        if hint := self.hint_for_all:
            return hint
        return self.hint_for(self.token.usable_keys[0])

    @property
    def hint_for_all(self) -> str:
        """Why no key of the token can be viewed; `""` if some may be."""
        if Hindrance.DELETED in self.hindrances:
            return _("The %(key)s of a deleted token cannot be viewed.") % {"key": self.token.noun}
        if Hindrance.NO_KEY in self.hindrances:
            return _("This token has no key.")
        if not self.may_manage:
            return _("Only administrators of the account can view the %(key)s.") % {
                "key": self.token.noun
            }
        if Hindrance.UNCHECKABLE in self.hindrances:
            return self.unchecked
        return ""

    def hint_for(self, key: TokenKey | None) -> str:
        """Why one of the keys cannot be viewed; `""` if it can."""
        if key is None or not key.can_be_checked:
            return self.unchecked
        if key.has_handle and key != self.token.live_keys[0]:
            return _("It was replaced, so nobody can exchange it. The key that it gave works on.")
        if self.token.policy.show_once:
            kept = _("A policy of the account keeps no copy of the %(key)s: it cannot be viewed.")
        elif key.sealed is None:
            kept = _("No copy of this %(key)s is kept, so it cannot be viewed.")
        elif not key.can_be_opened:
            kept = _(
                "The copy of this %(key)s cannot be opened, because its sealing key is missing."
            )
        else:
            return ""
        return kept % {"key": key.noun} + " " + self.calls

    @property
    def unchecked(self) -> str:
        words = _("This portal cannot check the %(key)s, so it does not show it.")
        return words % {"key": self.token.called_with}

    @property
    def key_note(self) -> str:
        """A note on which key View shows; `""` if there is only one, or it cannot be viewed."""
        count = len(self.token.usable_keys)
        if not self.offers_key or count < 2:
            return ""
        words = ngettext(
            "The token has %(n)s key.", "The token has %(n)s keys; this is the newest.", count
        )
        return words % {"n": count}

    @property
    def offers_destroying(self) -> bool:
        """Whether the person can destroy the sealed copies of the keys."""
        return self.offers_edit and any(key.sealed is not None for key in self.token.keys.all())

    @property
    def offers_first_call(self) -> bool:
        """Whether the person can make a call: the token can call, and they can view its key."""
        may_have_key = self.offers_key and not self.uses_handle
        return self.can_call and may_have_key and self.cockpit is None

    # --- The handle -------------------------------------------------------------------------------

    @cached_property
    def uses_handle(self) -> bool:
        """Whether people see a handle in place of the key, which only its maker gets."""
        return self.token.uses_handle

    @property
    def why_not_exchanged(self) -> str:
        """Why nobody can exchange the handle for the key; `""` if the extension's maker can."""
        extension = self.token.extension
        words = {"extension": text.isolate(extension.label)}
        if not self.can_call:
            return hindered(self.token, self.hindrances)
        if not extension.is_published:
            return _("%(extension)s is no longer in the catalog.") % words
        if extension.owner is None:
            return _("The maker of %(extension)s has no account in this portal.") % words
        if not extension.owner.is_active:
            return _("The account of the maker of %(extension)s is switched off.") % words
        return ""

    @property
    def exchange(self) -> str:
        """What the handle is for, in sentences; `""` if the token has none."""
        extension = self.token.extension
        if not self.uses_handle:
            return ""
        if why := self.why_not_exchanged:
            return _("The handle cannot be exchanged for the key now. %(why)s") % {"why": why}
        return _(
            "Paste the handle in %(extension)s. Its maker, %(maker)s, exchanges it for the key, so "
            "nobody needs to copy the key."
        ) % {
            "extension": text.isolate(extension.label),
            "maker": text.isolate(extension.owner.name if extension.owner else ""),
        }

    # --- Actions ----------------------------------------------------------------------------------

    @property
    def offers_edit(self) -> bool:
        return self.may_manage and not self.token.is_deleted

    offers_delete = offers_edit
    offers_new_key = offers_edit

    @property
    def offers_restore(self) -> bool:
        return self.may_manage and self.token.restorable_until is not None

    @property
    def restoring(self) -> str:
        """The sentence that says until when a deleted token can be restored."""
        token = self.token
        if token.restorable_until:
            return _("It can be restored until %(until)s.") % {
                "until": text.day_and_time(token.restorable_until)
            }
        if token.purged_at:
            words = _("Its %(key)s was destroyed on %(day)s, so it cannot be restored.")
            return words % {"key": token.noun, "day": text.day(token.purged_at)}
        return _("It can no longer be restored.")

    @property
    def restorable(self) -> tuple[str, str]:
        """Until when a deleted token can be restored, as two short lines for the list."""
        until, purged_at = self.token.restorable_until, self.token.purged_at
        if until:
            return _("Until %(until)s") % {"until": text.day_and_time(until)}, text.left(until)
        if not self.token.is_deleted:
            return "–", ""
        return _("Not possible"), (
            _("%(key)s destroyed on %(day)s") % {"key": self.token.noun, "day": text.day(purged_at)}
            if purged_at
            else ""
        )

    @property
    def mends_by_edit(self) -> bool:
        """Whether Edit can solve the headline's problem, by more modules."""
        may_choose = self.can_call and self.token.extension.asks_permissions
        return self.offers_edit and may_choose and not self.token.grants

    @property
    def offers_extend(self) -> bool:
        return self.offers_edit and self.token.expires_at is not None

    @property
    def mends_by_extending(self) -> bool:
        """Whether a later end solves the headline's problem."""
        return self.offers_extend and bool(self.ending or Hindrance.EXPIRED in self.hindrances)

    @property
    def offers_enable(self) -> bool:
        return self.may_manage and any(
            each in self.hindrances for each in (Hindrance.DISABLED, Hindrance.IDLE)
        )

    @property
    def offers_disable(self) -> bool:
        return self.offers_edit and not self.offers_enable
