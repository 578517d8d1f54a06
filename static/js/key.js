/* The key of a token: copied to the clipboard without being shown, and hidden after viewing. */

'use strict';

/* ---------- Copying without showing ---------- */

{
  let waiting = null;

  const isCopy = (event) => event.detail.requestConfig?.path.endsWith('/copy/');

  /** Copy a text without HTTPS, where there is no clipboard object: by way of a copy event. */
  const putTheOldWay = (text) => {
    const put = (event) => {
      event.clipboardData.setData('text/plain', text);
      event.preventDefault();
    };
    document.addEventListener('copy', put);
    const done = document.execCommand('copy');
    document.removeEventListener('copy', put);
    if (!done) {
      throw new Error('refused');
    }
  };

  /**
   * Write the key to the clipboard once the response has it. The write must begin with the click,
   * because browsers do not allow it later.
   */
  const write = async (key) => {
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'text/plain': key })]);
    } catch {
      putTheOldWay(await (await key).text());
    }
  };

  /** Say at the key whether it was copied. A page may have two keys. */
  const tell = async (field, written) => {
    const button = field.querySelector('[data-copy-key]');
    try {
      await written;
      portal.showDone(button);
      portal.announce(button.dataset.says);
    } catch {
      const hint = field.querySelector('[data-key-hint]');
      hint.textContent = hint.dataset.refused;
      portal.announce(hint.dataset.refused);
    }
  };

  document.addEventListener('htmx:beforeRequest', (event) => {
    if (isCopy(event)) {
      waiting = {};
      const key = new Promise((resolve, reject) => {
        Object.assign(waiting, { resolve, reject });
      });
      waiting.written = write(key);
      // Refused, or the password is asked for first: the page says so, and nothing was copied.
      waiting.written.catch(() => {});
    }
  });

  // Runs before the listeners that look for a fragment in the response, since this one has none.
  document.addEventListener(
    'htmx:beforeSwap',
    (event) => {
      const { xhr } = event.detail;
      if (
        waiting &&
        isCopy(event) &&
        xhr.getResponseHeader('Content-Type')?.startsWith('text/plain') &&
        xhr.status === 200
      ) {
        event.detail.shouldSwap = false;
        waiting.resolve(new Blob([xhr.responseText], { type: 'text/plain' }));
        document.querySelector('dialog:modal')?.close();
        tell(event.detail.target, waiting.written);
        waiting = null;
      }
    },
    true,
  );

  document.addEventListener('htmx:afterRequest', (event) => {
    if (waiting && isCopy(event)) {
      waiting.reject(new Error('no key'));
      waiting = null;
    }
  });
}

/* ---------- Hiding a visible key again ---------- */

{
  let timer = 0;

  const stop = () => {
    clearInterval(timer);
    timer = 0;
  };

  const start = (field) => {
    stop();
    // Of two keys, one is visible at a time.
    for (const other of document.querySelectorAll('[data-hide-after]')) {
      if (other !== field) {
        other.querySelector('[data-key-hide]').click();
      }
    }
    const line = field.closest('.key').querySelector('[data-key-timer]');
    const words = line.querySelector('[data-left]');
    const ring = line.querySelector('[data-ring]');
    const total = Number(field.dataset.hideAfter);
    const end = Date.now() + total * 1000;
    let spoken = Infinity;

    const tick = () => {
      if (!field.isConnected) {
        stop();
        return;
      }
      const left = Math.max(Math.ceil((end - Date.now()) / 1000), 0);
      const text =
        left === 1 ? words.dataset.one : portal.fill(words.dataset.many, { count: left });
      words.textContent = text;
      ring.setAttribute('stroke-dasharray', `${(left / total) * 60} 60`);
      // Announcing every second would drown out everything else.
      if (spoken === Infinity || (left <= 10 && spoken > 10)) {
        spoken = left;
        portal.announce(text);
      }
      if (left === 0) {
        stop();
        portal.announce(words.dataset.gone);
        field.querySelector('[data-key-hide]').click();
      }
    };

    tick();
    timer = setInterval(tick, 1000);
  };

  portal.onContent((root) => {
    const field = portal.all(root, '[data-hide-after]')[0];
    if (field) {
      start(field);
    }
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-key-keep]');
    if (button) {
      stop();
      const line = button.closest('[data-key-timer]');
      const words = line.querySelector('[data-left]');
      words.textContent = words.dataset.kept;
      line.querySelector('svg').remove();
      line.querySelector('[data-copied]').hidden = true;
      button.closest('.key').querySelector('[data-key-hide]').focus();
      button.remove();
      portal.announce(words.dataset.kept);
    }
  });

  document.addEventListener('portal:copied', (event) => {
    const line = event.target.closest('.key')?.querySelector('[data-copied]');
    if (line && timer) {
      line.hidden = false;
    }
  });

  document.addEventListener('portal:copy-refused', (event) => {
    const line = event.target.closest('.key')?.querySelector('[data-copied]');
    if (line) {
      line.textContent = event.detail;
      line.hidden = false;
    }
  });

  // Remove the key when the page is left, so that Back does not show it either.
  window.addEventListener('pagehide', () => {
    for (const key of document.querySelectorAll('[data-key-text]')) {
      key.textContent = key.parentElement.querySelector('.key-print').textContent;
      stop();
    }
  });

  window.addEventListener('pageshow', (event) => {
    if (event.persisted) {
      document.querySelector('[data-key-hide]')?.click();
    }
  });
}

/* ---------- When the present key stops ---------- */

{
  const say = (select) => {
    const line = select.parentElement.querySelector('[data-stops-on]');
    const moment = select.selectedOptions[0].dataset.stops;
    line.textContent = moment ? portal.fill(line.dataset.stopsOn, { moment }) : '';
  };

  document.addEventListener('change', (event) => {
    if (event.target.matches('select:has([data-stops])')) {
      say(event.target);
    }
  });

  portal.onContent((root) => {
    for (const select of portal.all(root, 'select:has([data-stops])')) {
      say(select);
    }
  });
}
