/* Back and Forward never ask to send a form again; leaving unsaved changes asks first. */

'use strict';

// This page is a response to a POST. Without this, going back to it would send the form again.
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
