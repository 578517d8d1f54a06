/*
 * Announces the outcome of an htmx request whose response is not the requested fragment: a sentence
 * for each status, with texts from partials/announcer.html. Only that fragment is ever swapped in.
 */

'use strict';

{
  const words = (template, name) =>
    template.content.querySelector(`[data-status~="${name}"]`) ??
    template.content.querySelector('[data-status="other"]');

  /** Return `5 seconds` or `2 minutes`; `a moment` without a header. */
  const wait = (texts, header) => {
    const seconds = Number(header);
    if (!(seconds > 0)) {
      return texts.soon;
    }
    return seconds < 91
      ? portal.fill(texts.seconds, { count: Math.ceil(seconds) })
      : portal.fill(texts.minutes, { count: Math.ceil(seconds / 60) });
  };

  const tell = (name, xhr) => {
    const template = document.getElementById('request-failed');
    const messages = document.getElementById('messages');
    if (!template || !messages) {
      return;
    }
    const message = template.content.firstElementChild.cloneNode(true);
    const line = message.querySelector('[data-says]');
    line.replaceChildren(...words(template, name).cloneNode(true).childNodes);
    for (const part of line.childNodes) {
      part.textContent = portal.fill(part.textContent, {
        status: name,
        wait: wait(line.dataset, xhr?.getResponseHeader('Retry-After')),
      });
    }
    messages.replaceChildren(message);
    messages.scrollIntoView({ block: 'nearest' });
  };

  document.addEventListener('htmx:responseError', (event) =>
    tell(String(event.detail.xhr.status), event.detail.xhr),
  );
  document.addEventListener('htmx:sendError', () => tell('offline'));
  document.addEventListener('htmx:timeout', () => tell('timeout'));

  // A response without the fragment is a full page, whoever sent it: open it as one.
  document.addEventListener('htmx:beforeSwap', (event) => {
    const { requestConfig, serverResponse, xhr } = event.detail;
    const select = requestConfig?.elt.closest('[hx-select]')?.getAttribute('hx-select');
    if (
      event.detail.shouldSwap &&
      select?.startsWith('#') &&
      !serverResponse.includes(`id="${select.slice(1)}"`)
    ) {
      event.detail.shouldSwap = false;
      window.location.assign(xhr.responseURL || window.location.href);
    }
  });
}
