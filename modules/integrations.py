"""`/public/v1/auth/tokens` with `permissions`, of the module Integrations.

A token manages the tokens of its account here, as a person does in the portal. It can never give
more access than it has itself: not with a grant, not with a new token, and not by activating a
token that may do more.
"""

from collections.abc import Collection as Several
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import (
    Case,
    CharField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.limits import LimitReached
from accounts.models import Account
from api import answers
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Constant, Rows, actor, actors, reference
from portal.fields import MomentField
from portal.http import current_request
from tokens import handles
from tokens.catalog import Module
from tokens.gate import Caller, too_many
from tokens.models import (
    EXPIRING,
    LONGEST_OVERLAP,
    BadEnd,
    Deleted,
    Extension,
    Grant,
    NameTaken,
    NotOffered,
    Policy,
    State,
    Token,
    TokenKey,
    TooManyTokens,
    TwoKeys,
)
from tokens.standing import Standing

END = MomentField(null=True, blank=True)


def tokens(caller: Caller) -> QuerySet[Token]:
    """Return the account's tokens, deleted ones too, with what the API calls their status."""
    active = Token.Status.ACTIVE
    # No key of a deleted token works.
    old_key = TokenKey.objects.filter(token=OuterRef("pk"), retires_at__gt=Now()).exclude(
        token__status=Token.Status.DELETED
    )
    return (
        Token.objects.of_account(caller.account_id)
        .order_by("-created_at", "-id")
        .annotate(old_key_ends=Subquery(old_key.order_by("-version").values("retires_at")[:1]))
        .annotate(
            # As Token.state, but by the clock of the database, since the query is kept.
            current=Case(
                When(status=active, expires_at__lte=Now(), then=Value(State.EXPIRED.value)),
                When(
                    status=active,
                    old_key_ends__isnull=False,
                    then=Value(State.REVITALISED.value),
                ),
                When(
                    status=active,
                    expires_at__lte=Now() + EXPIRING,
                    then=Value(State.EXPIRING.value),
                ),
                default="status",
                output_field=CharField(max_length=16),
            ),
            # While there are two keys, Connect calls the end of the old one the expiration date,
            # and that of the token the renewed one.
            ends_at=Coalesce("old_key_ends", "expires_at", output_field=END),
            renewed_end=Case(When(old_key_ends__isnull=False, then="expires_at"), output_field=END),
            **actors("created_by", "updated_by"),
        )
    )


def granted(token: Any) -> QuerySet[Grant]:
    """Return the grants of a token, with who granted each."""
    return Grant.objects.filter(token=token).annotate(**actors("granted_by")).order_by("module")


GRANT = {
    "id": "module",
    "object": {"id": "module"},
    "events": {"granted": {"at": "granted_at", "by": actor("granted_by")}},
}

TOKENS = Resource(
    "auth/tokens",
    Module.INTEGRATIONS,
    tokens,
    about="The tokens of the account. A deleted token stays in the list with the status `deleted`.",
    fields={
        "id": "id",
        "name": "name",
        "description": "description",
        "external_id": "external_id",
        "owner": reference("account"),
        "status": "current",
        "extension": {**reference("extension"), "revision": Constant(1)},
        "events": {
            "created": {"at": "created_at", "by": actor("created_by")},
            "updated": {"at": "updated_at", "by": actor("updated_by")},
        },
        "permissions": Rows(granted(OuterRef("pk")), GRANT),
        "expiration_date": "ends_at",
        "renewed_expiration_date": "renewed_end",
    },
)

PERMISSIONS = Resource(
    "auth/tokens/<parent>/permissions",
    Module.INTEGRATIONS,
    lambda caller, token_id: granted(token_id).filter(token__account=caller.account_id),
    parent=TOKENS,
    detail=False,
    about="The modules that a token was granted.",
    fields=GRANT,
    search=("id", "object.id"),
)

SECRET = {
    "type": "string",
    "pattern": "^[0-9a-f]{40}$",
    "description": "The secret, shown only this once.",
}
HANDLE = {
    "type": "string",
    "pattern": "^[0-9a-f]{40}$",
    "description": "The handle, instead of a secret, if the extension uses handles.",
}


@TOKENS.creates(
    "name",
    "external_id",
    "description",
    "extension.id",
    "owner.id",
    "expiration_date",
    required=("name", "extension.id"),
    answers={"token": SECRET, "handle": HANDLE},
)
def create(caller: Caller, values: dict[str, Any]) -> dict[str, Any]:
    """Create a token. Only this answer has its secret as `token`: the key is `ApiKey <id>:<token>`.

    For an extension that uses handles it has the `handle` instead, which people paste and the maker
    of the extension exchanges. An extension with a fixed set of modules brings its grants with it;
    those of a custom token are added one by one afterwards.
    """
    extension = Extension.objects.filter(pk=values["extension.id"]).first()
    if extension is None:
        raise ApiError("extension.id: " + _("There is no such extension."))
    if values.get("owner.id", caller.account_id) != caller.account_id:
        raise ApiError("owner.id: " + _("A token can only create tokens of its own account."))
    me = acting(caller)
    account = Account.objects.get(pk=caller.account_id)
    expires = values.get("expiration_date")
    if expires is None and me.expires_at:
        # A token that expires cannot create one that outlives it.
        last = Policy.of(account).last_end(timezone.now())
        expires = min(me.expires_at, last) if last else me.expires_at
    if expires and expires <= timezone.now():
        raise ApiError("expiration_date: " + _("Must be in the future."))
    try:
        token, key = Token.issue(
            account=account,
            modules=extension.fixed_modules or (),
            by=me,
            name=values["name"],
            external_id=values.get("external_id", ""),
            description=values.get("description", ""),
            extension=extension,
            expires_at=expires,
        )
    except NameTaken as problem:
        raise ApiError(f"name: {problem}") from None
    except (NotOffered, TooManyTokens) as problem:
        raise ApiError(f"extension.id: {problem}") from None
    except ValidationError as problem:
        raise bad_end(problem) from None
    must_cover(caller, token)
    return {**(answers.one(TOKENS, caller, token.pk) or {}), **handles.handed_out(key)}


@TOKENS.takes_instead(
    "handle",
    CharField(name="handle", max_length=400),
    answers={
        "id": {"type": "string", "examples": ["SU-160-984-311"]},
        "token": SECRET,
    },
)
def exchange(caller: Caller, values: dict[str, Any]) -> dict[str, Any] | HttpResponse:
    """Exchange the handle of a token of any account for its key, `ApiKey <id>:<token>`.

    The caller must be a token of the account that made the extension of that token. Every exchange
    gives the same key, until the token gets a new handle. The handle may come with `@` and the
    endpoint that is called. One that is unknown, replaced, for another address or of somebody
    else's extension, or whose token cannot call, is answered with 404.
    """
    try:
        key = handles.exchange(values["handle"], by=acting(caller), request=current_request.get())
    except handles.NotExchanged as problem:
        return ApiError(f"handle: {problem}", code="NFND_000", status=404).response
    except LimitReached as reached:
        return too_many(str(reached), reached.seconds)
    return {"id": key.token_id, "token": key.secret}


@TOKENS.updates("name", "external_id", "description")
def update(caller: Caller, token: Token, values: dict[str, Any]) -> None:
    """Update the name, external ID and description of a token.

    Its extension and expiration cannot be changed.
    """
    try:
        token.edit(by=acting(caller), version=None, modules=None, **values)
    except NameTaken as problem:
        raise ApiError(f"name: {problem}") from None
    except Deleted as problem:
        raise ApiError(str(problem), code="TKN_001") from None


@TOKENS.deletes
def delete(caller: Caller, token: Token) -> None:
    """Delete a token. Its key stops working at once.

    For seven days, an administrator of the account can restore it in the portal; then its name can
    be used again.
    """
    if not token.remove(by=acting(caller)):
        raise ApiError(_("The token is deleted."), code="TKN_001")


@TOKENS.acts("activate")
def activate(caller: Caller, token: Token, values: dict[str, Any]) -> None:
    """Activate a token. One that has more access than the caller cannot be activated."""
    settle(token, enabled=token.enable(by=acting(caller)), wanted=Token.Status.ACTIVE)
    must_cover(caller, token)


@TOKENS.acts("deactivate")
def deactivate(caller: Caller, token: Token, values: dict[str, Any]) -> None:
    """Deactivate a token. Every further call with it is refused."""
    settle(token, enabled=token.disable(by=acting(caller)), wanted=Token.Status.INACTIVE)


@TOKENS.acts("rotate", "expiration_date", answers={"token": SECRET, "handle": HANDLE})
def rotate(caller: Caller, token: Token, values: dict[str, Any]) -> dict[str, Any]:
    """Make a new key for a token and stop its other keys at once.

    Only this answer has the secret of the new key as `token`. The expiration date stays unless the
    body has another one, or null for none.
    """
    me = may_make_key(caller, token, values)
    try:
        key = token.rotate(by=me, **new_end(values))
    except ValidationError as problem:
        raise bad_end(problem) from None
    must_cover(caller, token)
    return handles.handed_out(key)


@TOKENS.acts("renew", "expiration_date", answers={"renewed_token": SECRET, "handle": HANDLE})
def renew(caller: Caller, token: Token, values: dict[str, Any]) -> dict[str, Any]:
    """Make a new key for a token, while its present key works until the present expiration date.

    The present key works for 30 days at most. Until then the status is `revitalised`,
    `expiration_date` is the end of the present key, and `renewed_expiration_date` that of the new
    one. Only this answer has the secret of the new key as `renewed_token`. The expiration date
    stays unless the body has another one, or null for none.
    """
    me = may_make_key(caller, token, values)
    until = timezone.now() + LONGEST_OVERLAP
    try:
        key = token.renew(by=me, until=until, **new_end(values))
    except TwoKeys as problem:
        raise ApiError(str(problem), code="TKN_005") from None
    except BadEnd:
        text = _("The key of the token is expired, so it cannot live on. Rotate it instead.")
        raise ApiError(text, code="TKN_006") from None
    except ValidationError as problem:
        raise bad_end(problem) from None
    must_cover(caller, token)
    return handles.handed_out(key, "renewed_token")


def may_make_key(caller: Caller, token: Token, values: dict[str, Any]) -> Token:
    """Return the acting token. Raise ApiError if it may not make a key that ends then."""
    if token.is_deleted:
        raise ApiError(_("The token is deleted."), code="TKN_001")
    expires = values.get("expiration_date")
    if expires and expires <= timezone.now():
        raise ApiError("expiration_date: " + _("Must be in the future."))
    me = acting(caller)
    # The caller may have lost its own key to another call while it waited for this token.
    if TokenKey.objects.filter(pk=caller.key_id, retires_at__lte=Now()).exists():
        text = _("This key of the token %(id)s is retired.") % {"id": caller.id}
        raise ApiError("API request is unauthorized.", text, code="AUTH_006", status=401)
    # Before the change, since a token may renew itself, and must not live longer by that.
    if "expiration_date" in values:
        must_outlive(me, expires)
    return me


def bad_end(problem: ValidationError) -> ApiError:
    return ApiError(f"expiration_date: {' '.join(problem.messages)}")


def new_end(values: dict[str, Any]) -> dict[str, Any]:
    return {"expires_at": values["expiration_date"]} if "expiration_date" in values else {}


def settle(token: Token, *, enabled: bool, wanted: str) -> None:
    """Raise ApiError if the token is deleted.

    It is not an error if the token already had the wanted status.
    """
    if not enabled and token.status != wanted:
        raise ApiError(_("The token is deleted."), code="TKN_001")


@PERMISSIONS.creates("id", "object.id")
def grant(caller: Caller, token_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """Grant a module to a custom token. The caller needs access to the module itself.

    Granting a module twice is not an error.
    """
    module, token = wanted(values), own_custom(caller, token_id)
    must_cover(caller, token, (module,))
    token.add_grant(module, by=acting(caller))
    if token.pk != caller.id:
        must_cover(caller, token, (module,))
    return {"id": module.value, "object": {"id": module.value}}


@PERMISSIONS.deletes_listed("id", "object.id")
def revoke(caller: Caller, token_id: str, listed: list[dict[str, Any]]) -> None:
    """Revoke modules of a custom token.

    The body is an object such as `{"id": "MD-0023"}`, or a list of these.
    """
    modules, token = {wanted(values) for values in listed}, own_custom(caller, token_id)
    if Module.ALL in token.grants and Module.ALL not in modules:
        raise ApiError(
            _(
                "The token has All, which covers every module. Revoke All, and grant the modules "
                "that should stay."
            ),
            code="TKN_003",
        )
    token.remove_grants(*modules, by=acting(caller))


def wanted(values: dict[str, Any]) -> Module:
    """Return the module that a body names, as `id` or as `object.id`. Raises ApiError."""
    named = values.get("object.id") or values.get("id")
    if named is None:
        raise ApiError("id: " + _("This field is required."))
    return Module(named)  # type: ignore[call-arg]  # the lookup by value


def own_custom(caller: Caller, token_id: str) -> Token:
    """Return the token. Raises ApiError unless its grants can be chosen."""
    token = Token.objects.filter(account=caller.account_id, pk=token_id).first()
    if token is None:
        raise ApiError(answers.no_such(token_id), code="NFND_000", status=404)
    if token.is_deleted:
        raise ApiError(_("The token is deleted."), code="TKN_001")
    if not token.extension.asks_permissions:
        raise ApiError(
            _("The modules of a token for %(extension)s are fixed.")
            % {"extension": token.extension.label},
            code="TKN_002",
        )
    return token


def acting(caller: Caller) -> Token:
    """Return the caller's token, the actor that the portal will show."""
    return Token.objects.select_related("account").get(pk=caller.id)


def must_cover(caller: Caller, token: Token, modules: Several[str] | None = None) -> None:
    """Raise ApiError unless the caller may give the access that the token has, or the modules.

    The caller must still be valid, must not expire before the token, and must have the modules
    itself. This is checked after the change, which is then rolled back, so that what the caller
    lost while it waited for a lock counts. A grant is checked before as well, since the caller may
    be granting to itself.
    """
    me = acting(caller)
    standing = Standing(me)
    if not standing.can_call:
        raise ApiError(
            "API request is unauthorized.", standing.hindrance_text, code="AUTH_001", status=401
        )
    must_outlive(me, token.expires_at)
    handed = token.grants if modules is None else modules
    missing = (
        []
        if Module.ALL in me.grants
        else [module for module in Module if module in handed and module not in me.grants]
    )
    if missing:
        raise ApiError(
            _("A token cannot give access that it does not have itself: %(modules)s.")
            % {"modules": ", ".join(str(module.label) for module in missing)},
            code="TKN_004",
            status=403,
        )


def must_outlive(me: Token, expires_at: datetime | None) -> None:
    """Raise ApiError if what the caller gives access to would expire later than the caller."""
    if me.expires_at and (expires_at is None or expires_at > me.expires_at):
        raise ApiError(
            _("A token that expires cannot give access to one that expires later or never."),
            code="TKN_004",
            status=403,
        )
