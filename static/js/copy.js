/* Copies text to the clipboard. */

'use strict';

{
  const DONE_MS = 2000;

  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  const put = async (element) => {
    const text = element.textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Without HTTPS there is no clipboard object: fall back to execCommand on a selection.
      select(element);
      if (document.execCommand('copy')) {
        window.getSelection().removeAllRanges();
        return true;
      }
      return false;
    }
  };

  /** Briefly show on the button itself that its text was copied. */
  portal.showDone = (button) => {
    const label = button.querySelector('[data-label]');
    const use = button.querySelector('use');
    if (button.classList.contains('is-done')) {
      return;
    }
    const before = [label.textContent, use.getAttribute('href')];
    button.classList.add('is-done');
    label.textContent = button.dataset.done;
    use.setAttribute('href', before[1].replace(/#.*/, '#check'));
    setTimeout(() => {
      button.classList.remove('is-done');
      [label.textContent] = before;
      use.setAttribute('href', before[1]);
    }, DONE_MS);
  };

  const copy = async (button) => {
    const element = document.querySelector(button.dataset.copy);
    if (await put(element)) {
      portal.showDone(button);
      portal.announce(button.dataset.says || button.dataset.done);
      button.dispatchEvent(new CustomEvent('portal:copied', { bubbles: true }));
    } else {
      element.focus();
      select(element);
      portal.announce(button.dataset.refused);
      button.dispatchEvent(
        new CustomEvent('portal:copy-refused', { bubbles: true, detail: button.dataset.refused }),
      );
    }
  };

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-copy]');
    if (button) {
      copy(button);
    }
  });
}
