"""Automatic checks of a page's accessibility."""

from importlib.resources import files

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
# axe no longer checks for duplicate ids, or for labels and descriptions that point to nothing.
BROKEN_REFERENCES = """() => {
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    const twice = ids.filter((id, place) => ids.indexOf(id) !== place)
        .map((id) => `The id ${id} is listed twice.`);
    const references = ['for', 'aria-labelledby', 'aria-describedby', 'aria-controls', 'form'];
    const lost = references.flatMap((name) =>
        [...document.querySelectorAll(`[${name}]`)].flatMap((element) =>
            element.getAttribute(name).split(' ').filter((id) => !ids.includes(id))
                .map((id) => `${name}="${id}" points to nothing: ` +
                    element.outerHTML.slice(0, 200))));
    return [...twice, ...lost];
}"""


def check(page: Page) -> None:
    """Fail with every fault of the page, in the light or in the dark theme."""
    wrong = page.evaluate(BROKEN_REFERENCES)
    page.evaluate(AXE)
    for theme in ("light", "dark"):
        # With reduced motion no colour is caught halfway between the themes.
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found = page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
        wrong += [
            f"{rule['id']} ({theme}): {rule['help']}\n  {node['html']}\n  {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]
    assert not wrong, "\n".join(wrong)
