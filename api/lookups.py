"""`like` with stars, as the databases have it: no expression that runs in Python, linear in the text."""

from typing import Any

from django.db.models import Field
from django.db.models.lookups import Contains, IContains, PatternLookup


class Pattern(PatternLookup):
    """A value that is a pattern of SQL's LIKE already, its own signs escaped."""

    def process_rhs(self, compiler: Any, connection: Any) -> Any:
        # What PatternLookup would do to the value is done: see rql.Filters.
        return super(PatternLookup, self).process_rhs(compiler, connection)


class Matches(Pattern, Contains):
    pass


class IMatches(Pattern, IContains):
    pass


Field.register_lookup(Matches, "matches")
Field.register_lookup(IMatches, "imatches")
