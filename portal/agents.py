"""Short names for the programs that send requests."""

import re

# The order matters: Edge and Opera also claim to be Chrome, and Chrome to be Safari.
BROWSERS = (
    ("Edge", re.compile(r"\bEdgA?/(\d+)")),
    ("Opera", re.compile(r"\bOPR/(\d+)")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS|HeadlessChrome)/(\d+)")),
    ("Safari", re.compile(r"\bVersion/(\d+)[.\d]* (?:Mobile/\S+ )?Safari/")),
)
SYSTEMS = (
    *(
        ("iPhone", re.compile("iPhone")),
        ("iPad", re.compile("iPad")),
        ("Android", re.compile("Android")),
    ),
    *(
        ("Windows", re.compile("Windows")),
        ("macOS", re.compile("Mac OS X|Macintosh")),
        ("ChromeOS", re.compile("CrOS")),
    ),
    ("Linux", re.compile("Linux")),
)
LONGEST = 40


def in_words(agent: str) -> str:
    """Return a short name for a User-Agent header.

    Browsers give `Firefox 145, Linux`; other programs the first word, as `python-requests/2.32`.
    """
    system = next((name for name, mark in SYSTEMS if mark.search(agent)), "")
    for name, mark in BROWSERS:
        if found := mark.search(agent):
            return ", ".join(filter(None, (f"{name} {found[1]}", system)))
    return agent.partition(" ")[0][:LONGEST]
