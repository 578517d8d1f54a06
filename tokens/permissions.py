"""What views of the API use:

`@requires_module(Module.AGREEMENTS)` opens one to tokens that were granted the module.
"""

from collections.abc import Callable

from tokens.catalog import Module
from tokens.gate import View, gate


def requires_module(module: Module) -> Callable[[View], View]:
    """Open a view to tokens that were granted the module (or All)."""
    return gate(module)


def requires_token(view: View) -> View:
    """Open a view to every valid token, whatever it was granted."""
    return gate(None)(view)
