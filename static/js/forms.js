/* Forms: spell out a typed date, submit only once, count characters, show a password. */

'use strict';

/* ---------- Time zone, for the first sign-in ---------- */

for (const field of document.querySelectorAll('[data-zone]')) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? '';
}

/* ---------- Typed days, spelled out ---------- */

document.addEventListener('input', (event) => {
  const line =
    event.target.id && document.querySelector(`[data-end="#${CSS.escape(event.target.id)}"]`);
  if (!line) {
    return;
  }
  const { value, min, max } = event.target;
  const words = {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  };
  if (value && value === line.dataset.kept) {
    line.textContent = line.dataset.keptWords;
  } else if (value && value >= min && value <= max) {
    const parts = new Intl.DateTimeFormat(document.documentElement.lang, words).formatToParts(
      new Date(value),
    );
    const part = (type) => parts.find((each) => each.type === type)?.value;
    const day = `${part('weekday')} ${part('day')} ${part('month')} ${part('year')}`;
    line.textContent = portal.fill(line.dataset.words, { day, zone: line.dataset.zoneName });
  } else {
    line.textContent = '';
  }
});

/* ---------- Expires: after some days, on a date, or never ---------- */

{
  const DAY = 24 * 60 * 60 * 1000;

  /* The date shows only for "On a date…"; for the other choices it keeps the day they stand for,
     so that the line below and the panel of changes follow, and is not sent. */
  const show = (ends) => {
    const choice = ends.querySelector('[name="expires"]').value;
    const date = ends.querySelector('[name="expires_on"]');
    const field = date.closest('.field');
    const chosen = choice === 'on' || field.querySelector('.field-error') !== null;
    field.hidden = !chosen;
    date.disabled = !chosen;
    return { choice, date };
  };

  portal.onContent((root) => portal.all(root, '[data-ends]').forEach(show));
  window.addEventListener('pageshow', () => {
    document.querySelectorAll('[data-ends]').forEach(show);
  });

  document.addEventListener('change', (event) => {
    const ends = event.target.name === 'expires' && event.target.closest('[data-ends]');
    if (!ends) {
      return;
    }
    ends.querySelector('.field-error')?.remove();
    const { choice, date } = show(ends);
    if (choice !== 'on') {
      const days = Number(choice) - 1;
      date.value = days
        ? new Date(new Date(date.min).getTime() + days * DAY).toISOString().slice(0, 10)
        : '';
    }
    date.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

/* ---------- Selects that submit their form ---------- */

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-autosubmit]')) {
    event.target.form.requestSubmit();
  }
});

/* ---------- Submit once ---------- */

{
  const waiting = new Set();

  document.addEventListener('submit', (event) => {
    const form = event.target;
    const button = form.querySelector('[data-busy]');
    if (!button) {
      return;
    }
    if (waiting.has(form)) {
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented || (event.submitter?.name && event.submitter !== button)) {
      return;
    }
    waiting.add(form);
    // Only after the browser has collected the fields: a disabled button would not be sent.
    setTimeout(() => {
      button.dataset.label = button.textContent;
      button.textContent = button.dataset.busy;
      button.disabled = true;
    });
  });

  // Back shows the page as it was left.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) {
      for (const form of waiting) {
        const button = form.querySelector('[data-busy]');
        button.textContent = button.dataset.label;
        button.disabled = false;
      }
      waiting.clear();
    }
  });
}

/* ---------- Show and hide a password ---------- */

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-reveal]');
  if (button) {
    const field = document.querySelector(button.dataset.reveal);
    const shown = field.type === 'text';
    field.type = shown ? 'password' : 'text';
    button.setAttribute('aria-pressed', String(!shown));
    [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
  }
});

/* ---------- Counters ---------- */

{
  const NEAR = 10;

  const count = (counter) => {
    const field = document.querySelector(counter.dataset.counter);
    const limit = Number(field?.dataset.limit || field?.maxLength || 0);
    if (field && limit > 0) {
      const length = [...field.value.trim()].length;
      counter.textContent = `${length} / ${limit}`;
      counter.classList.toggle('counter-near', length > limit - NEAR);
    }
  };

  portal.onContent((root) => portal.all(root, '[data-counter]').forEach(count));

  document.addEventListener('input', (event) => {
    const counter =
      event.target.id && document.querySelector(`[data-counter="#${CSS.escape(event.target.id)}"]`);
    if (counter) {
      count(counter);
    }
  });
}
