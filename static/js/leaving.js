/* Back and Forward never ask to send a form again; leaving unsaved changes asks first. */

'use strict';

// This page is a response to a POST. Without this, going back to it would send the form again.
if (document.documentElement.hasAttribute('data-posted')) {
  window.history.replaceState(window.history.state, '', window.location.href);
}

{
  let saving = false;

  /** Whether a form differs from what is saved; the page says so if it did when it came. */
  const isChanged = (form) => form.dataset.asks === 'changed' || [...form.elements].some(differs);

  const differs = (control) => {
    if (control instanceof HTMLSelectElement) {
      const options = [...control.options];
      const first = options.find((option) => option.defaultSelected) ?? options[0];
      return control.selectedOptions[0] !== first;
    }
    if (['checkbox', 'radio'].includes(control.type)) {
      return control.checked !== control.defaultChecked;
    }
    const isTyped = control.matches('input:not([type=hidden]), textarea');
    return isTyped && control.value !== control.defaultValue;
  };

  document.addEventListener('submit', (event) => {
    const carries = event.target.matches('[data-edit], [data-asks], [data-carries]');
    saving = !event.defaultPrevented && carries;
  });

  window.addEventListener('pageshow', () => {
    saving = false;
  });

  window.addEventListener('beforeunload', (event) => {
    const edited = document.querySelector('[data-edit] [data-save]:not(:disabled)');
    const asking = [...document.querySelectorAll('form[data-asks]')];
    if (!saving && (edited || asking.some(isChanged))) {
      event.preventDefault();
    }
  });
}
