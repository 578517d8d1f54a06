/* Messages are read out, dismissed, and get the focus when they need attention. */

'use strict';

/* ---------- Messages ---------- */

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-dismiss]');
  if (button) {
    button.closest('.message').remove();
    document.getElementById('content')?.focus({ preventScroll: true });
  }
});

/* ---------- Messages that come with a piece ---------- */

// They are read out; a region that is new to the page would stay silent.
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
