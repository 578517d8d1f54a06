/*
 * What the other scripts share. Every page works without any of them: forms send themselves, links lead to pages.
 * Each file serves one concern by `data-…` attributes and listens on the document, so it also serves what htmx swaps in.
 * All words come from the templates.
 */

'use strict';

document.documentElement.classList.add('js');

// biome-ignore lint/correctness/noUnusedVariables: the other scripts use it.
const portal = {
  /** Says a text to screen readers. */
  announce(text) {
    const announcer = document.getElementById('announcer');
    if (announcer) {
      announcer.textContent = '';
      // An emptied region that is filled in the next frame is read even when the text is the same.
      requestAnimationFrame(() => {
        announcer.textContent = text;
      });
    }
  },

  /** Puts numbers and texts into `{name}` places of a text from a template. */
  fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) =>
      name in values ? String(values[name]) : whole,
    );
  },

  /** Runs `setUp(root)` for the page as it came, and for every piece that htmx brings. */
  onContent(setUp) {
    setUp(document);
    document.addEventListener('htmx:load', (event) => {
      if (event.target !== document.body) {
        setUp(event.target);
      }
    });
  },

  /** The elements that match, `root` included. */
  all(root, selector) {
    const found = [...root.querySelectorAll(selector)];
    return root instanceof Element && root.matches(selector) ? [root, ...found] : found;
  },
};
