"""SVG icons that people upload, made harmless.

A drawing is written anew from what the lists below name, so whatever is not named (scripts, links,
images, animation, foreign markup) is not in what is stored. Kept sanitisers were looked at: those
for HTML change the case of names, and svg-hush keeps addresses of this site and parts that repeat
each other without end.
"""

import re
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# The most bytes of an upload, and of what is stored.
MOST_BYTES = 32 * 1024
MOST_ELEMENTS = 1_000
DEEPEST = 32
# Uses, masks and clips may each repeat a part that has more of them: thirty in pairs draw a
# thousand million shapes.
MOST_REPEATS = 20


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ELEMENTS = words(
    "svg g defs symbol use path rect circle ellipse line polyline polygon text tspan title desc "
    "linearGradient radialGradient stop clipPath mask style"
)
# What may stand in `style`, too.
LOOKS = words(
    "clip-path clip-rule color display fill fill-opacity fill-rule mask mask-type opacity "
    "stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap "
    "stroke-linejoin stroke-miterlimit stroke-opacity stroke-width transform "
    "vector-effect visibility font-family font-size font-style font-weight text-anchor "
    "letter-spacing"
)
ATTRIBUTES = LOOKS | words(
    "id class viewBox width height preserveAspectRatio version d points x y x1 y1 x2 y2 cx cy r rx "
    "ry fx fy fr dx dy rotate pathLength offset gradientUnits gradientTransform spreadMethod "
    "clipPathUnits maskUnits maskContentUnits"
)
REPEATING = frozenset({"clip-path", "mask"})
FUNCTIONS = words(
    "rgb rgba hsl hsla matrix translate scale rotate skewx skewy translatex translatey"
)
OWN_PART = re.compile(r"#[\w.-]+\Z")
OWN_URL = re.compile(r"""url\(\s*(["']?)#[\w.-]+\1\s*\)""")
CALL = re.compile(r"([\w-]*)\s*\(")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
SELECTOR = re.compile(r"[\w\s.#,*>-]+\Z")


class Cleaned(NamedTuple):
    """A drawing as it may be stored, and the names of what was left out of it."""

    text: str
    left_out: list[str]


def clean(data: bytes) -> Cleaned:
    """Return a harmless copy of an SVG file. Raise ValidationError if it cannot be one."""
    if len(data) > MOST_BYTES:
        raise refused(_("An icon may have 32 KB at most. Export it with fewer details."))
    writer = Writer()
    try:
        writer.read(data)
    except expat.ExpatError as problem:
        words = {"line": problem.lineno, "problem": expat.ErrorString(problem.code)}
        text = _("It is not an SVG file: %(problem)s, in line %(line)s.") % words
        raise refused(text) from problem
    except (ValueError, LookupError) as problem:
        # An encoding that it names and Python does not know.
        raise refused(_("It is not an SVG file that can be read. Save it as UTF-8.")) from problem
    text = "".join(writer.written)
    if len(text.encode()) > MOST_BYTES:
        raise refused(_("An icon may have 32 KB at most. Export it with fewer details."))
    return Cleaned(text, sorted(writer.left_out))


def refused(text: str) -> ValidationError:
    return ValidationError(text, code="svg")


def is_harmless(value: str) -> bool:
    """Tell whether a value calls nothing but colours, movements and parts of its own drawing."""
    if "\\" in value or "@" in value:
        return False
    return all(name.lower() in FUNCTIONS for name in CALL.findall(OWN_URL.sub("", value)))


class Writer:
    """Writes the allowed parts of a drawing while it is read."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.left_out: set[str] = set()
        # The open elements, and how many of them are within one that is left out.
        self.open: list[str] = []
        self.skipping = 0
        self.elements = self.repeats = 0
        self.style = ""

    def read(self, data: bytes) -> None:
        # The separator stands between a namespace and a name.
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self.doctype
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.Parse(data, True)  # noqa: FBT003

    def doctype(
        self,
        _name: str,
        _system: str | None,
        _public: str | None,
        has_subset: bool,  # noqa: FBT001  # expat's signature
    ) -> None:
        # Only an internal subset can define entities; files outside are never loaded.
        if has_subset:
            raise refused(_("It defines entities in its DOCTYPE. Export it as plain SVG."))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _separator, local = name.rpartition(" ")
        self.elements += 1
        if not self.open and not self.skipping and (namespace, local) != (SVG, "svg"):
            raise refused(
                _("It is not an SVG file: it must begin with <svg xmlns=“%(name)s”>.")
                % {"name": SVG}
            )
        if self.elements > MOST_ELEMENTS or len(self.open) + self.skipping > DEEPEST:
            raise refused(_("It has too many parts for an icon. Export it with fewer details."))
        if self.skipping or namespace != SVG or local not in ELEMENTS:
            self.left_out |= set() if self.skipping else {local}
            self.skipping += 1
            return
        if local == "use":
            self.repeat()
        root = {} if self.open else {"xmlns": SVG}
        kept = {**root, **self.kept(attributes)}
        self.open.append(local)
        self.written.append(
            f"<{local}{''.join(f' {key}={quoteattr(value)}' for key, value in kept.items())}>"
        )

    def kept(self, attributes: dict[str, str]) -> dict[str, str]:
        """Return the attributes that may stay."""
        kept = {}
        for name, value in attributes.items():
            if name == "style":
                kept["style"] = self.declared(value)
            elif name in {"href", f"{XLINK} href"} and OWN_PART.match(value.strip()):
                kept["href"] = value.strip()
            elif name in ATTRIBUTES and is_harmless(value):
                if name in REPEATING:
                    self.repeat()
                kept[name] = value
            else:
                self.left_out.add(name.rpartition(" ")[2])
        return kept

    def repeat(self) -> None:
        self.repeats += 1
        if self.repeats > MOST_REPEATS:
            raise refused(
                _("It repeats, masks or clips parts more than %(n)s times. Export it flattened.")
                % {"n": MOST_REPEATS}
            )

    def declared(self, text: str, *, once: bool = True) -> str:
        """Return the declarations that may stay; those of a rule may apply to many elements."""
        kept = []
        for declaration in filter(str.strip, COMMENT.sub("", text).split(";")):
            name, _colon, value = (part.strip() for part in declaration.partition(":"))
            if name not in LOOKS or not is_harmless(value) or (name in REPEATING and not once):
                self.left_out.add(name[:40])
                continue
            if name in REPEATING:
                self.repeat()
            kept.append(f"{name}:{value}")
        return ";".join(kept)

    def end(self, _name: str) -> None:
        if self.skipping:
            self.skipping -= 1
            return
        local = self.open.pop()
        if local == "style":
            for selector, declarations in RULE.findall(COMMENT.sub("", self.style)):
                if SELECTOR.match(selector):
                    rule = f"{selector.strip()}{{{self.declared(declarations, once=False)}}}"
                    self.written.append(escape(rule))
                else:
                    self.left_out.add(selector.strip()[:40])
            self.style = ""
        self.written.append(f"</{local}>")

    def text(self, text: str) -> None:
        if self.skipping:
            return
        if self.open[-1] == "style":
            self.style += text
        else:
            self.written.append(escape(text))
