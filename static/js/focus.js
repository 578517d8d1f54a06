/*
 * Restores the focus after an action, whether htmx swapped a fragment or the page was reloaded.
 * Lets Space press the links that are buttons.
 */

'use strict';

{
  const KEY = 'portal.focus';

  const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;

  /**
   * Return a selector that finds the pressed element in the next page, or null. For an entry of a
   * menu, it is the button of the menu.
   */
  const placeOf = (pressed) => {
    const thing = pressed?.closest('details.menu')?.querySelector('summary') ?? pressed;
    if (thing?.id) {
      return `#${CSS.escape(thing.id)}`;
    }
    if (thing?.name && thing.form?.getAttribute('action')) {
      const value = thing.type === 'submit' ? `[value=${quoted(thing.value)}]` : '';
      return `form[action=${quoted(thing.form.getAttribute('action'))}] [name=${quoted(thing.name)}]${value}`;
    }
    return null;
  };

  // --- htmx swapped a fragment

  let place = null;

  document.addEventListener('htmx:beforeRequest', (event) => {
    const cause = event.detail.requestConfig?.triggeringEvent;
    place = placeOf(
      cause?.submitter ??
        event.detail.elt.closest('a, button, input, select') ??
        document.activeElement,
    );
  });

  document.addEventListener('htmx:afterSettle', (event) => {
    const active = document.activeElement;
    if (active !== document.body && !active.matches('[tabindex="-1"]')) {
      return;
    }
    const thing = place && document.querySelector(place);
    if (thing) {
      thing.focus({ preventScroll: true });
    } else if (active === document.body && event.target.matches?.('[tabindex="-1"]')) {
      // The pressed element is gone: let Tab continue from the new fragment.
      event.target.focus({ preventScroll: true });
    }
  });

  // --- The page was reloaded

  document.addEventListener('submit', (event) => {
    const pressed = placeOf(event.submitter ?? document.activeElement);
    if (!event.defaultPrevented && pressed) {
      sessionStorage.setItem(KEY, JSON.stringify({ page: window.location.pathname, pressed }));
    }
  });

  const before = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  sessionStorage.removeItem(KEY);
  if (before?.page === window.location.pathname && document.activeElement === document.body) {
    document.querySelector(before.pressed)?.focus();
  }
}

/* ---------- Links that are buttons ---------- */

// Space presses a button, while on a link it scrolls.
document.addEventListener('keydown', (event) => {
  if (event.key === ' ' && event.target.matches('a[role="button"]')) {
    event.preventDefault();
    event.target.click();
  }
});
