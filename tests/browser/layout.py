"""Faults in the layout of a page, measured in the page itself."""

from playwright.sync_api import Page

# Allow half a pixel of rounding either way.
FAULTS = """() => {
  const faults = [];
  const width = document.documentElement.clientWidth;
  const name = (element) => {
    const text = element.getAttribute('aria-label') || element.innerText || element.name
      || element.id || '';
    return `<${element.localName}> “${text.trim().replace(/\\s+/g, ' ').slice(0, 40)}”`;
  };
  const shown = (element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  // Nothing changes meanwhile, so what was asked of an element once is known.
  const known = (ask) => {
    const answers = new Map();
    return (element) => {
      if (!answers.has(element)) {
        answers.set(element, ask(element));
      }
      return answers.get(element);
    };
  };
  const box = known((element) => element.getBoundingClientRect());
  const overflow = known((element) => getComputedStyle(element).overflowX);

  // 1. The page scrolls sideways.
  if (document.documentElement.scrollWidth > width) {
    faults.push(`the page is ${document.documentElement.scrollWidth} wide`);
  }

  // What Tab reaches. A box that scrolls sideways on purpose may be wider than it shows.
  const focusable = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  const unseen = '.sr-only, .skip, .default-submit';
  const controls = [...document.querySelectorAll(focusable)].filter(
    (each) => each.tabIndex >= 0 && !each.disabled && shown(each) && !each.matches(unseen),
  );
  const scrolls = known(
    (element) =>
      ['auto', 'scroll'].includes(overflow(element)) && element.scrollWidth > element.clientWidth,
  );
  const scroller = known((element) => {
    const above = element.parentElement;
    return above && (scrolls(above) ? above : scroller(above));
  });

  // 2. A control in the tab order is cut off by the window, or by a box that hides overflow.
  for (const control of controls) {
    const here = box(control);
    if (here.width < 1 || here.height < 1) {
      faults.push(`${name(control)} has no size`);
      continue;
    }
    if (!scroller(control) && (here.left < -0.5 || here.right > width + 0.5)) {
      faults.push(`${name(control)} reaches out of the window`);
    }
    let above = control.parentElement;
    for (; above && above !== document.body; above = above.parentElement) {
      const hides = ['hidden', 'clip'].includes(overflow(above));
      const outer = box(above);
      if (hides && (here.left < outer.left - 0.5 || here.right > outer.right + 0.5)) {
        faults.push(`${name(control)} is cut off by ${above.className || above.localName}`);
      }
    }
  }

  // 3. Two controls overlap. What floats above the page (a menu, a dialog, a sticky bar) does so
  // on purpose.
  const floats = (element) => {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const { position } = getComputedStyle(at);
      if (['fixed', 'sticky'].includes(position) || at.matches('.popover, dialog')) {
        return true;
      }
    }
    return false;
  };
  const grounded = controls.filter((each) => !floats(each));
  grounded.forEach((one, index) => {
    const a = box(one);
    for (const other of grounded.slice(index + 1)) {
      const b = box(other);
      const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (x <= 1 || y <= 1 || one.contains(other) || other.contains(one)) {
        continue;
      }
      // The button that shows a password is inside its field, which leaves room for it.
      if (one.closest('.password') && one.closest('.password') === other.closest('.password')) {
        continue;
      }
      const label = one.closest('label')?.contains(other) || other.closest('label')?.contains(one);
      if (!label) {
        faults.push(`${name(one)} lies on ${name(other)}`);
      }
    }
  });

  // 4. Text runs out of its box, into a neighbour or under an edge.
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const clipped = (element) =>
    box(element).width <= 1 && getComputedStyle(element).clipPath !== 'none';
  const hidden = known(
    (element) => element !== document.body && (clipped(element) || hidden(element.parentElement)),
  );
  const skipped = '[aria-hidden="true"], .skip, option, template';
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const parent = text.parentElement;
    if (!text.data.trim() || !shown(parent) || hidden(parent) || parent.closest(skipped)) {
      continue;
    }
    range.selectNodeContents(text);
    for (const line of range.getClientRects()) {
      const inside = scroller(parent);
      if (!inside && (line.left < -0.5 || line.right > width + 0.5)) {
        faults.push(`the text “${text.data.trim().slice(0, 40)}” reaches out of the window`);
        break;
      }
      const holder = parent.closest(
        'button, .button, .badge, .card, th, td, .message, .popover, .chip, .tile',
      );
      if (holder && !inside) {
        const outer = box(holder);
        if (line.left < outer.left - 1 || line.right > outer.right + 1) {
          faults.push(`the text “${text.data.trim().slice(0, 40)}” reaches out of ${name(holder)}`);
          break;
        }
      }
    }
  }
  return [...new Set(faults)];
}"""


def faults(page: Page) -> list[str]:
    """Return the faults: sideways scrolling, controls cut off or overlapping, text overflow."""
    found: list[str] = page.evaluate(FAULTS)
    return found
