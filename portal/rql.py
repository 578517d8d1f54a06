"""The grammar of RQL, which queries of the API and conditions of webhooks are written in."""

from typing import Final

from lark import Lark
from py_rql.grammar import RQL_GRAMMAR

LISTING: Final = "list_term _L_BRACE prop _COMMA "

# The library's grammar, but a single value in `in()` and `out()` needs no parentheses of its own:
# CloudBlue's connector for MuleSoft writes none.
PARSER: Final = Lark(
    RQL_GRAMMAR.replace(LISTING, f"{LISTING}val _R_BRACE\n    | {LISTING}"), parser="lalr"
)
