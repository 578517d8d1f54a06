/*
 * Warns before the session ends, keeps it alive while the person is active, and says when it is
 * over. The server says how long it lasts; all tabs of a browser share its last response.
 */

'use strict';

{
  const box = document.getElementById('session');
  // Seconds before the end at which to warn; half of the idle time if that is shorter.
  const SOON = Math.min(120, Number(box?.dataset.idle) / 2);
  const EVERY = 60; // Seconds between two requests while a person is active.

  /** When the session ends, in ms of the local clock: without activity, and whatever happens. */
  let ends = { idle: 0, absolute: 0 };
  let asked = 0; // When this page last sent a request that counts as activity.
  let checked = false; // Whether the server has confirmed that the end is near.
  let shown = '';
  let before = null; // What had the focus before it moved into the notice.

  const channel = new BroadcastChannel('portal.session');

  const seconds = (end) => (end - Date.now()) / 1000;

  const show = (name, when = '') => {
    if (shown === name + when) {
      return;
    }
    const hadFocus = box.contains(document.activeElement);
    if (shown.split(' ')[0] === name.split(' ')[0] && hadFocus) {
      return; // Do not replace the button while it has the focus; the time in the text can wait.
    }
    shown = name + when;
    const piece = name ? document.getElementById(`session-${name}`).content.cloneNode(true) : '';
    if (piece) {
      const words = piece.querySelector('strong');
      words.textContent = portal.fill(words.textContent, { when });
    }
    box.replaceChildren(piece);
    if (hadFocus) {
      (before?.isConnected ? before : document.getElementById('content')).focus({
        preventScroll: true,
      });
    }
  };

  const learn = (left) => {
    ends = { idle: Date.now() + left.idle * 1000, absolute: Date.now() + left.absolute * 1000 };
    channel.postMessage(ends);
  };

  /** Ask the server how long the session lasts. In the background, this is not activity. */
  const ask = async ({ background }) => {
    asked = background ? asked : Date.now();
    let answer;
    try {
      const headers = {
        Accept: 'application/json',
        ...(background ? { 'X-Background': '1' } : {}),
      };
      answer = await fetch(box.dataset.url, { headers, cache: 'no-store', redirect: 'manual' });
    } catch {
      return; // Without a connection, keep what is known here.
    }
    if (answer.ok) {
      learn(await answer.json());
    } else if (answer.type === 'opaqueredirect') {
      ends = { idle: 0, absolute: 0 };
      channel.postMessage(ends);
    }
  };

  const tick = async () => {
    const last = ends.absolute <= ends.idle;
    let left = seconds(Math.min(ends.idle, ends.absolute));
    if (left > SOON) {
      checked = false;
      show('');
      return;
    }
    if (!checked && ends.idle) {
      // Another page may have extended the session without telling this one.
      checked = true;
      await ask({ background: true });
      left = seconds(Math.min(ends.idle, ends.absolute));
    }
    if (left > SOON) {
      checked = false;
    } else if (left <= 0) {
      show('over');
    } else {
      const when =
        left > 60 ? box.dataset.minutes : left > 20 ? box.dataset.minute : box.dataset.soon;
      show(last ? 'absolute' : 'idle', when);
    }
  };

  if (box) {
    asked = Date.now();
    learn({ idle: Number(box.dataset.idle), absolute: Number(box.dataset.absolute) });
    setInterval(tick, 1000);
    for (const name of ['pageshow', 'focus']) {
      window.addEventListener(name, tick);
    }

    channel.addEventListener('message', (event) => {
      ends = event.data;
      checked = false;
      tick();
    });

    // Not on mousedown: an element that moves between press and release gets no click.
    for (const name of ['click', 'input', 'keyup']) {
      document.addEventListener(name, (event) => {
        const isOver = seconds(Math.min(ends.idle, ends.absolute)) <= 0;
        if (
          event.isTrusted &&
          !isOver &&
          !box.contains(event.target) &&
          Date.now() - asked >= EVERY * 1000
        ) {
          ask({ background: false }).then(tick);
        }
      });
    }

    // Requests of htmx count as activity, except those that no person triggered.
    document.addEventListener('htmx:configRequest', (event) => {
      if (event.detail.triggeringEvent && !event.detail.triggeringEvent.isTrusted) {
        event.detail.headers['X-Background'] = '1';
      } else {
        asked = Date.now();
      }
    });

    box.addEventListener('focusin', (event) => {
      before = box.contains(event.relatedTarget) ? before : event.relatedTarget;
    });

    box.addEventListener('submit', (event) => {
      event.preventDefault();
      ask({ background: false }).then(tick);
    });
  }
}
