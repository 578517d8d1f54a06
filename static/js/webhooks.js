/* The form of a webhook: rows of headers come and go in place, New makes another secret, and the
   validations follow the objects. */

'use strict';

{
  const rowsOf = (pairs) => [...pairs.querySelectorAll('.pair')];
  const controls = (row) => [...row.querySelectorAll('input, button')];

  /* Number all rows but the last, which is for another header, as the template does. */
  const number = (pairs) => {
    const patterns = controls(pairs.querySelector('template').content);
    const rows = rowsOf(pairs);
    const place = rows.map((row) => controls(row)[0]).find((field) => field.id)?.id;
    rows.forEach((row, at) => {
      const [name, , button] = controls(row);
      name.removeAttribute('id');
      if (at < rows.length - 1) {
        controls(row).forEach((control, nth) => {
          const words = patterns[nth].getAttribute('aria-label');
          control.setAttribute('aria-label', portal.fill(words, { n: at + 1 }));
        });
        button.value = at;
      }
    });
    // The list of errors leads to the first one.
    controls(rows[0])[0].id = place ?? `id_${pairs.id}`;
  };

  const drop = (pairs, row) => {
    const next = row.nextElementSibling;
    row.remove();
    number(pairs);
    // For whatever follows the form.
    pairs.dispatchEvent(new Event('change', { bubbles: true }));
    controls(next).at(-1).focus();
  };

  /* The row for another header becomes one of its own, before a new empty one. */
  const add = (pairs, row) => {
    const [name, value] = controls(row);
    if (!name.value.trim() && !value.value.trim()) {
      name.focus();
      return;
    }
    const made = pairs.querySelector('template').content.cloneNode(true).firstElementChild;
    controls(made)[0].value = name.value;
    controls(made)[1].value = value.value;
    row.before(made);
    name.value = '';
    value.value = '';
    number(pairs);
    name.focus();
  };

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-pairs] .pair button');
    if (button) {
      event.preventDefault();
      const row = button.closest('.pair');
      const pairs = row.closest('[data-pairs]');
      (button.name.endsWith('_drop') ? drop : add)(pairs, row);
    }
  });
}

/* ---------- New ---------- */

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-new-secret]');
  if (button) {
    event.preventDefault();
    const bytes = [...crypto.getRandomValues(new Uint8Array(20))];
    const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    document.querySelector(button.dataset.newSecret).value = `JWT-${digits}`;
    portal.announce(button.dataset.says);
  }
});

/* ---------- When ---------- */

{
  const select = document.querySelector('[data-validations]');
  const groups = [...(select?.querySelectorAll('optgroup') ?? [])];

  /* Leave the validations of the chosen objects. One that was chosen of others comes back with
     them, since it stays selected in its group. */
  const narrow = () => {
    const objects = select.form.querySelector('[name="object_class"]:checked')?.parentElement;
    const kind = objects?.querySelector('.option-name').textContent;
    for (const group of groups) {
      if (group.label === kind) {
        select.append(group);
      } else {
        group.remove();
      }
    }
  };

  if (select) {
    narrow();
    // Browsers fill in the form again when one comes back to it.
    addEventListener('pageshow', narrow);
    select.form.addEventListener('change', (event) => {
      if (event.target.name === 'object_class') {
        narrow();
      }
    });
  }
}
