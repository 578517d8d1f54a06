"""Secrets that a page shows when asked to: the field, and what the session remembers of it."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from accounts import sudo
from accounts.http import PersonRequest

# Length of the random mark by which a session recognises a form that has shown a secret.
ONCE = 12
# How many such forms a session remembers.
REMEMBERED_FORMS = 50


def has_shown(request: PersonRequest) -> bool:
    """Tell whether this form has already shown the secret: reloading that page sends it again."""
    return request.POST.get("once") in request.session.get("forms_that_showed_keys", ())


def note_shown(request: PersonRequest) -> None:
    """Remember the form that shows the secret now. The session keeps only the latest ones."""
    if once := request.POST.get("once", "")[:ONCE]:
        shown = request.session.get("forms_that_showed_keys", [])
        request.session["forms_that_showed_keys"] = [*shown, once][-REMEMBERED_FORMS:]


@dataclass(frozen=True, kw_only=True)
class SecretField:
    """The field of a secret: masked, or with the secret after View was pressed.

    `confirm` is the password form, if it has to be given first. Its template is
    `partials/key.html`.
    """

    # Pages with two of them tell them apart by it.
    name: str = ""
    # The whole text, with the prefix.
    key: str = ""
    viewed: dict[str, Any] | None = None
    confirm: sudo.ConfirmForm | None = None
    copied: bool = False
    once: str = field(default_factory=lambda: get_random_string(ONCE))

    @property
    def id(self) -> str:
        """The id of the element."""
        return "key"

    @property
    def prefix(self) -> str:
        """What stands before the masked part."""
        return ""

    @property
    def suffix(self) -> str:
        """What stands after it, as a part of what is pasted."""
        return ""

    @property
    def last_four(self) -> str:
        """The last characters, which are shown."""
        return ""

    @property
    def version(self) -> int:
        """The number of the secret among those of its owner."""
        return 0

    @property
    def can_be_viewed(self) -> bool:
        """Whether the person may view it."""
        return False

    @property
    def hint(self) -> str:
        """The sentences under the masked secret."""
        return ""

    @property
    def is_only_time(self) -> bool:
        """Whether it is shown now and never again."""
        return False

    @property
    def home_url(self) -> str:
        """The address of the page itself."""
        return ""

    @property
    def reveal_url(self) -> str:
        """The address of View."""
        return ""

    @property
    def copy_url(self) -> str:
        """The address of Copy, which ends with `/copy/`."""
        return ""

    @property
    def destroy_url(self) -> str:
        """The address of destroying the stored copy; empty if it is not offered."""
        return ""

    @property
    def noun(self) -> str:
        """What screen readers call the secret."""
        return self.name.lower() or _("key")

    @property
    def secret(self) -> str:
        return self.key.removeprefix(self.prefix).removesuffix(self.suffix)

    @property
    def dots(self) -> str:
        return "•" * (40 - len(self.last_four))

    @property
    def confirm_return(self) -> str:
        """The element that gets the focus back from the password form."""
        return f"#{self.id}-{'copy' if self.copied else 'view'}"

    @property
    def words(self) -> dict[str, str]:
        """What the scripts of the field say."""
        return {
            "once": _("The key is shown only this once. Copy it now: no copy of it is kept."),
            "copied": _("Key copied."),
            "selected": _("Copying is not possible here. The key is selected: press Ctrl+C."),
            "kept": _("The key stays visible until you hide it or leave the page."),
            "gone": _("The key is hidden."),
            "refused": _(
                "Copying is not possible here. Press View, and copy the key from the page."
            ),
        }
