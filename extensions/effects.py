"""What other fixed modules of an extension do to the tokens that exist."""

from collections.abc import Collection

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.fields import ActorField
from portal.text import join
from tokens.catalog import Module
from tokens.models import Extension, Grant, Token


def effect(extension: Extension, modules: Collection[str] | None) -> str:
    """Say how many live tokens would gain and lose which modules.

    Empty if no token would. `modules` is None if whoever creates a token is to choose, which
    leaves tokens as they are.
    """
    tokens = Token.objects.live().filter(extension=extension.pk)
    if not modules or not (total := tokens.count()):
        return ""
    granted = Grant.objects.filter(token__in=tokens).order_by().values_list("module")
    have = dict(granted.annotate(Count("pk")))
    # A token with All reaches every module already, and would lose All.
    lacking = {module: total - have.get(module, 0) - have.get(Module.ALL, 0) for module in modules}
    too_many = {module: count for module, count in have.items() if module not in modules}
    said = [
        *counted(lacking, _("%(tokens)s would gain %(modules)s.")),
        *counted(too_many, _("%(tokens)s would lose %(modules)s.")),
    ]
    return " ".join([*said, _("Choose what happens to them, and save again.")]) if said else ""


def counted(counts: dict[str, int], sentence: str) -> list[str]:
    """Return a sentence for each number of tokens, with its modules in the order of the catalog."""
    modules: dict[int, list[str]] = {}
    for module in Module:
        if counts.get(module, 0) > 0:
            modules.setdefault(counts[module], []).append(str(module.label))
    return [
        sentence
        % {
            "tokens": ngettext("%(n)s token", "%(n)s tokens", count) % {"n": f"{count:,}"},
            "modules": join(names),
        }
        for count, names in modules.items()
    ]


def follow(extension: Extension) -> int:
    """Give all live tokens of an extension its fixed modules; return how many changed.

    Each token is a transaction of its own, so that nobody waits for all of them. `followed_by` is
    set as long as some may lack the modules: see `finish`.
    """
    modules, by = extension.fixed_modules, extension.followed_by
    tokens = Token.objects.live().filter(extension=extension)
    count = sum(token.follow(modules, by=by) for token in tokens.iterator()) if modules else 0
    # Unless other modules were saved meanwhile, which are to be followed again.
    Extension.objects.filter(pk=extension.pk, fixed_modules=modules).update(
        **ActorField.columns("followed_by", None)
    )
    return count


def finish() -> int:
    """Go on where a process ended before all tokens had the modules; return how many changed."""
    return sum(follow(extension) for extension in Extension.objects.exclude(followed_by_id=""))
