/*
 * Helpers for the other scripts. Every page also works without scripts, with plain forms and links.
 * Each file has one purpose, uses `data-…` attributes and listens on the document, so that it also
 * covers what htmx swaps in. All texts come from the templates.
 */

'use strict';

document.documentElement.classList.add('js');

// biome-ignore lint/correctness/noUnusedVariables: the other scripts use it.
const portal = {
  /** Announce a text to screen readers. */
  announce(text) {
    const announcer = document.getElementById('announcer');
    if (announcer) {
      announcer.textContent = '';
      // Emptying the region and filling it in the next frame announces even an unchanged text.
      requestAnimationFrame(() => {
        announcer.textContent = text;
      });
    }
  },

  /** Replace `{name}` placeholders in a text from a template with numbers and texts. */
  fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) =>
      name in values ? String(values[name]) : whole,
    );
  },

  /** Run `setUp(root)` for the page as loaded, and for every fragment that htmx swaps in. */
  onContent(setUp) {
    setUp(document);
    document.addEventListener('htmx:load', (event) => {
      if (event.target !== document.body) {
        setUp(event.target);
      }
    });
  },

  /** Return the matching elements, including `root` itself. */
  all(root, selector) {
    const found = [...root.querySelectorAll(selector)];
    return root instanceof Element && root.matches(selector) ? [root, ...found] : found;
  },
};
