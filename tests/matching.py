"""What tests look for in pages."""

import re


def matched(pattern: str | re.Pattern[str], text: str) -> re.Match[str]:
    """Return the first match of a pattern, which must be there."""
    match = re.search(pattern, text)
    assert match, f"{pattern} is not in:\n{text}"
    return match
