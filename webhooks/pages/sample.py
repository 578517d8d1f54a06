"""What will be sent, as the wizard and Edit show it. It follows what is typed."""

from copy import copy
from typing import Any

from portal import text
from webhooks.catalog import ObjectClass
from webhooks.pages.forms import EndpointForm, EventsForm
from webhooks.signing import sample
from webhooks.standing import kept_only

# What a call is made of, of all that is typed.
PARTS = ("label", "product_id", "external_url", "http_method", "headers", "data")


def shown(form: EndpointForm | EventsForm) -> dict[str, Any]:
    """Return what the templates need. What cannot be used, or not yet, is left out."""
    wrong = [name for name in PARTS if name in form.errors]
    # Validating has put into it what is valid.
    likeness = copy(form.instance)
    for name in wrong:
        setattr(likeness, name, likeness._meta.get_field(name).get_default())
    if "object_class" in form.fields:
        # Also one that does not go with the product: that is said when the form is sent.
        chosen = form["object_class"].value()
        likeness.object_class = chosen if chosen in ObjectClass.values else ""
    names = [str(form[name].label) for name in wrong if form[name].value()]
    return {
        "sample": sample(likeness),
        "kept_only": kept_only(likeness),
        "left_out": text.join(names) if names else "",
    }
