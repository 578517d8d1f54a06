/* Messages: announced to screen readers, dismissed, and focused when they need attention. */

'use strict';

/* ---------- Messages ---------- */

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-dismiss]');
  if (button) {
    button.closest('.message').remove();
    document.getElementById('content')?.focus({ preventScroll: true });
  }
});

/* ---------- Messages in fragments ---------- */

// Announce them here: screen readers do not announce a live region that is new to the page.
document.addEventListener('htmx:afterSettle', () => {
  const message = document.querySelector('#messages .message-text');
  if (message && !message.dataset.said) {
    message.dataset.said = 'yes';
    portal.announce(message.textContent.trim().replace(/\s+/g, ' '));
  }
});

/* ---------- Focus on what needs attention ---------- */

portal.onContent((root) => {
  portal.all(root, '[data-focus]')[0]?.focus();
});
