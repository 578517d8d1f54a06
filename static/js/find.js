/*
 * Find on the API Reference: hides the collections that lack the text in their URL, fields and
 * description.
 */

'use strict';

document.addEventListener('input', (event) => {
  if (!event.target.matches('[data-find-entries]')) {
    return;
  }
  const text = event.target.value.trim();
  const words = text.toLocaleLowerCase().split(/\s+/);
  let count = 0;
  for (const group of document.querySelectorAll('[data-find-group]')) {
    const title = group.querySelector('h2').textContent.toLocaleLowerCase();
    let shown = 0;
    for (const entry of group.querySelectorAll('[data-find-text]')) {
      const fits = words.every(
        (word) => title.includes(word) || entry.dataset.findText.includes(word),
      );
      entry.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    group.hidden = shown === 0;
    document.querySelector(`.toc a[href="#${group.id}"]`).parentElement.hidden = shown === 0;
    count += shown;
  }
  for (const introduction of document.querySelectorAll('[data-find-hide]')) {
    introduction.hidden = text !== '';
  }
  const status = document.querySelector('[data-find-none]');
  const sentence = count > 0 ? status.dataset.findSome : status.dataset.findNone;
  status.textContent = text ? portal.fill(sentence, { text, count }) : '';
});
