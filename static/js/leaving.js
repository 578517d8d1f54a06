/* Going back and forward never asks to send a form again; leaving changes that are not saved asks first. */

'use strict';

// This page answers a POST. As an entry of its own the history would want to send that once more.
if (document.documentElement.hasAttribute('data-posted')) {
  window.history.replaceState(window.history.state, '', window.location.href);
}

{
  let saving = false;

  document.addEventListener('submit', (event) => {
    saving = !event.defaultPrevented && event.target.matches('[data-edit], [data-carries]');
  });

  window.addEventListener('pageshow', () => {
    saving = false;
  });

  window.addEventListener('beforeunload', (event) => {
    if (!saving && document.querySelector('[data-edit] [data-save]:not(:disabled)')) {
      event.preventDefault();
    }
  });
}
