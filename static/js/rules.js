/* The form of an IP rule: fill in the person's own address, count the rules that will be added. */

'use strict';

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-current]');
  const form = button?.form;
  if (!form) {
    return;
  }
  event.preventDefault();
  form.querySelector('[name="kind"][value="single"]').checked = true;
  form.elements.last.value = '';
  form.elements.first.value = button.dataset.current;
  form.elements.first.focus();
});

document.addEventListener('change', (event) => {
  const form = event.target.closest('[name="also"]')?.form;
  const button = form?.querySelector('[data-save]');
  if (button && form.dataset.add) {
    const count = 1 + form.querySelectorAll('[name="also"]:checked').length;
    button.textContent =
      count === 1 ? form.dataset.add : portal.fill(form.dataset.addMany, { count });
  }
});
