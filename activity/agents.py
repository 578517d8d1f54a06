"""Which program sent a request, in a few words."""

import re

# In this order: Edge and Opera say that they are Chrome too, and Chrome that it is Safari.
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
    """`Firefox 145, Linux` for browsers; for other programs how they name themselves, as `python-requests/2.32`."""
    system = next((name for name, mark in SYSTEMS if mark.search(agent)), "")
    for name, mark in BROWSERS:
        if found := mark.search(agent):
            return ", ".join(filter(None, (f"{name} {found[1]}", system)))
    return agent.partition(" ")[0][:LONGEST]
