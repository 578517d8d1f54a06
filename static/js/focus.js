/* The focus is where it was before a press, whether a piece of the page was swapped or the page was loaded anew. */

'use strict';

{
  const KEY = 'portal.focus';

  const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;

  /** A selector that finds the pressed thing in the next page: its menu's button for an entry of a menu. */
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

  // --- A piece was swapped

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
      // What was pressed is gone: Tab goes on from the new piece.
      event.target.focus({ preventScroll: true });
    }
  });

  // --- The page was loaded anew

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
