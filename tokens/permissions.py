"""Decorators that put views of the API behind the gate.

`@requires_module(Module.AGREEMENTS)` opens a view to tokens that were granted the module.
With several modules, any of them opens it.
"""

from collections.abc import Callable

from portal.http import View
from tokens.catalog import Module
from tokens.gate import gate


def requires_module(module: Module, *others: Module) -> Callable[[View], View]:
    """Open a view to tokens that were granted one of the modules (or All)."""
    return gate(module, *others)


def requires_token(view: View) -> View:
    """Open a view to every valid token, regardless of its grants."""
    return gate(None)(view)
