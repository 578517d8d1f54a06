/*
 * Tells in time that the session ends, keeps it while the person does something, and says when it is over. The server
 * knows how long it lasts; all tabs of a browser tell each other what it last said.
 */

'use strict';

{
  const box = document.getElementById('session');
  // From when on the end is near, in seconds; half of a session that is shorter than that.
  const SOON = Math.min(120, Number(box?.dataset.idle) / 2);
  const EVERY = 60; // A person who types is a sign of life once in so many seconds.

  /** When the session ends, in milliseconds of the clock here: if nothing more is done, and whatever is done. */
  let ends = { idle: 0, absolute: 0 };
  let asked = 0; // When the server last heard of this page.
  let checked = false; // Whether it has confirmed that the end is near.
  let shown = '';
  let before = null; // What had the focus before it came into the notice.

  const channel = new BroadcastChannel('portal.session');

  const seconds = (end) => (end - Date.now()) / 1000;

  const show = (name, when = '') => {
    if (shown === name + when) {
      return;
    }
    const hadFocus = box.contains(document.activeElement);
    if (shown.split(' ')[0] === name.split(' ')[0] && hadFocus) {
      return; // Words may wait; the button under the finger may not.
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

  /** Ask how long the session lasts. In the background that is no sign of life. */
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
      return; // No connection: what is known here holds.
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
      // Another page may have gone on without a word to this one.
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
        left > 60 ? box.dataset.minutes : left > 20 ? box.dataset.minute : box.dataset.moment;
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

    // Not on the way down: what moves between press and release loses the click.
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

    // htmx asked the server itself; a piece that no person asked for is no sign of life.
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
