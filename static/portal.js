/*
 * Conveniences of the portal. Every page works without this file: forms send themselves, links lead to pages.
 * Each block serves one kind of `data-…` attribute and listens on the document, so it also serves what htmx swaps in.
 * All words come from the templates.
 */

/* ---------- Shared ---------- */

'use strict';

document.documentElement.classList.add('js');

const portal = {
  /** Says a text to screen readers. */
  announce(text) {
    const announcer = document.getElementById('announcer');
    if (announcer) {
      announcer.textContent = '';
      // An emptied region that is filled in the next frame is read even when the text is the same.
      requestAnimationFrame(() => {
        announcer.textContent = text;
      });
    }
  },

  /** Puts numbers and texts into `{name}` places of a text from a template. */
  fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  },

  /** Runs `setUp(root)` for the page as it came, and for every piece that htmx brings. */
  onContent(setUp) {
    setUp(document);
    document.addEventListener('htmx:load', (event) => {
      if (event.target !== document.body) {
        setUp(event.target);
      }
    });
  },

  /** The elements that match, `root` included. */
  all(root, selector) {
    const found = [...root.querySelectorAll(selector)];
    return root instanceof Element && root.matches(selector) ? [root, ...found] : found;
  },
};

/* ---------- Menus ---------- */

{
  const openMenus = () => document.querySelectorAll('details.menu[open]');

  const entries = (menu) => [...menu.querySelectorAll('.popover :is(a[href], button, input):not(:disabled, [type="hidden"])')];

  document.addEventListener('click', (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    }
  });

  // Tabbing out of a menu closes it.
  document.addEventListener('focusin', (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    }
  });

  document.addEventListener('keydown', (event) => {
    const menu = event.target.closest?.('details.menu');
    if (event.key === 'Escape' && !event.target.closest?.('dialog')) {
      // Wherever the focus is: a press on a word in a menu leaves it on the page.
      for (const open of openMenus()) {
        open.open = false;
        open.querySelector('summary').focus();
        event.preventDefault();
      }
    } else if (!menu) {
      return;
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      menu.open = true;
      const list = entries(menu);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const here = list.indexOf(document.activeElement);
      const next = here < 0 && step < 0 ? list.length - 1 : (here + step + list.length) % list.length;
      list[next]?.focus();
      event.preventDefault();
    } else if ((event.key === 'Home' || event.key === 'End') && menu.open && event.target.type !== 'text') {
      entries(menu).at(event.key === 'Home' ? 0 : -1)?.focus();
      event.preventDefault();
    }
  });

  // Where a floating menu stands. A sheet of its own: a `style` attribute is refused by the CSP as soon as htmx copies the element.
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);

  // Above the button when there is no room below it.
  const place = (menu) => {
    const popover = menu.querySelector('.popover');
    menu.classList.remove('menu-up', 'menu-floating');
    const box = popover.getBoundingClientRect();
    const button = menu.querySelector('summary').getBoundingClientRect();
    const up = button.bottom + box.height + 4 > window.innerHeight && button.top > box.height + 8;
    menu.classList.toggle('menu-up', up);
    if (menu.closest('.table-scroll')) {
      // A box that scrolls would cut the menu off: it stands in the window instead.
      const left = Math.max(button.right - box.width, 8);
      const top = up ? button.top - box.height - 4 : button.bottom + 4;
      sheet.replaceSync(`.menu-floating > .popover { left: ${left}px; top: ${top}px; }`);
      menu.classList.add('menu-floating');
    }
  };

  // htmx copies the page for Back. An open menu has no place in the copy.
  document.addEventListener('htmx:beforeHistorySave', () => {
    for (const menu of document.querySelectorAll('details.menu')) {
      menu.open = false;
    }
  });

  document.addEventListener(
    'toggle',
    (event) => {
      if (event.target.matches?.('details.menu[open]')) {
        place(event.target);
      }
    },
    true,
  );

  document.addEventListener(
    'scroll',
    () => {
      for (const menu of openMenus()) {
        if (menu.closest('.table-scroll')) {
          place(menu);
        }
      }
    },
    true,
  );
}

/* ---------- Messages ---------- */

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-dismiss]');
  if (button) {
    button.closest('.message').remove();
    document.getElementById('content')?.focus({ preventScroll: true });
  }
});

/* ---------- Messages that come with a piece ---------- */

// They are read out; a region that is new to the page would stay silent.
document.addEventListener('htmx:afterSettle', () => {
  const message = document.querySelector('#messages .message-text');
  if (message && !message.dataset.said) {
    message.dataset.said = 'yes';
    portal.announce(message.textContent.trim().replace(/\s+/g, ' '));
  }
});

/* ---------- Focus on what needs attention ---------- */

portal.onContent((root) => {
  portal.all(root, '[data-focus]')[0]?.focus();
});

/* ---------- The time zone, for a first sign-in ---------- */

for (const field of document.querySelectorAll('[data-zone]')) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? '';
}

/* ---------- A typed day is read back ---------- */

document.addEventListener('input', (event) => {
  const line = event.target.id && document.querySelector(`[data-end="#${CSS.escape(event.target.id)}"]`);
  if (!line) {
    return;
  }
  const { value, min, max } = event.target;
  const words = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' };
  if (value && value === line.dataset.kept) {
    line.textContent = line.dataset.keptWords;
  } else if (value && value >= min && value <= max) {
    const parts = new Intl.DateTimeFormat(document.documentElement.lang, words).formatToParts(new Date(value));
    const part = (type) => parts.find((each) => each.type === type)?.value;
    const day = `${part('weekday')} ${part('day')} ${part('month')} ${part('year')}`;
    line.textContent = portal.fill(line.dataset.words, { day, zone: line.dataset.zoneName });
  } else {
    line.textContent = '';
  }
});

/* ---------- Selects that send their form ---------- */

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
    // After the browser has collected the fields: a disabled button would not be sent.
    setTimeout(() => {
      button.dataset.label = button.textContent;
      button.textContent = button.dataset.busy;
      button.disabled = true;
    });
  });

  // Back brings the page as it was left.
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
    const counter = event.target.id && document.querySelector(`[data-counter="#${CSS.escape(event.target.id)}"]`);
    if (counter) {
      count(counter);
    }
  });
}

/* ---------- Copy ---------- */

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
      // Without HTTPS there is no clipboard object: the old way, on a selection.
      select(element);
      if (document.execCommand('copy')) {
        window.getSelection().removeAllRanges();
        return true;
      }
      return false;
    }
  };

  /** Says on the button itself, for a moment, that it has copied. */
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
      button.dispatchEvent(new CustomEvent('portal:copy-refused', { bubbles: true, detail: button.dataset.refused }));
    }
  };

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-copy]');
    if (button) {
      copy(button);
    }
  });
}

/* ---------- Dialogs ---------- */

portal.onContent((root) => {
  for (const dialog of portal.all(root, 'dialog[data-modal]')) {
    // Came open, as a card in the page, for browsers without scripts.
    dialog.removeAttribute('open');
    dialog.showModal();
    dialog.querySelector('input:not([type="hidden"])')?.focus();
    dialog.addEventListener('close', () => {
      const back = dialog.isConnected && document.querySelector(dialog.dataset.return);
      dialog.remove();
      if (back) {
        back.focus();
      }
    });
  }
});

document.addEventListener('click', (event) => {
  const dialog = event.target.closest('[data-close]')?.closest('dialog');
  if (dialog?.open && dialog.matches(':modal')) {
    event.preventDefault();
    dialog.close();
  }
});

/* ---------- Module list ---------- */

{
  const former = new WeakMap(); // What was ticked before "All Modules".
  let speaking = 0;

  const parts = (list) => {
    const all = list.querySelector('[data-all][type="checkbox"]');
    const boxes = [...list.querySelectorAll('input[name="modules"]')].filter((box) => box !== all);
    return { all, boxes };
  };

  const nameOf = (box) => box.closest('.module').querySelector('.module-name').textContent.trim();

  const sentence = (names, access) => {
    const short = names.length > 4;
    const shown = short ? names.slice(0, 4) : names.slice(0, -1);
    const last = short
      ? portal.fill(access.dataset.more, { count: names.length - 4 })
      : `${shown.length ? `${access.dataset.and} ` : ''}${names.at(-1) ?? ''}`;
    return `${shown.join(', ')}${shown.length ? ' ' : ''}${last}.`;
  };

  const describe = (list) => {
    const { all, boxes } = parts(list);
    const ticked = boxes.filter((box) => box.checked);
    const count = list.querySelector('[data-count]');
    if (count) {
      count.textContent = all.checked
        ? count.dataset.all
        : portal.fill(count.dataset.some, { count: ticked.length, total: boxes.length });
    }
    const choose = (value) => list.querySelector(`[name="select"][value="${value}"]`);
    if (choose('all')) {
      choose('all').hidden = all.checked || ticked.length === boxes.length;
      choose('none').hidden = all.checked || ticked.length === 0;
    }
    const access = list.querySelector('[data-access]');
    if (!access) {
      return;
    }
    const line = (name) => access.querySelector(`[data-line="${name}"]`);
    line('all').hidden = !all.checked;
    line('none').hidden = all.checked || ticked.length > 0;
    line('reach').hidden = all.checked || ticked.length === 0;
    line('rest').hidden = line('reach').hidden || ticked.length === boxes.length;
    line('reach').querySelector('[data-head-text]').textContent = portal.fill(access.dataset.head, {
      count: ticked.length,
      total: boxes.length,
    });
    line('reach').querySelector('[data-names]').textContent = sentence(ticked.map(nameOf), access);
    line('rest').querySelector('[data-names]').textContent = sentence(
      boxes.filter((box) => !box.checked).map(nameOf),
      access,
    );
  };

  /** At most once a second, and only the last state. */
  const speak = (list) => {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      const access = list.querySelector('[data-access]');
      if (access) {
        const lines = [...access.querySelectorAll('[data-line]')].filter((each) => !each.hidden);
        portal.announce(lines.map((each) => each.textContent.trim().replace(/\s+/g, ' ')).join(' '));
      }
    }, 1000);
  };

  const lock = (list) => {
    const { all, boxes } = parts(list);
    if (all.disabled) {
      return; // A fixed set: nothing to choose.
    }
    if (all.checked && !former.has(list)) {
      former.set(list, new Set(boxes.filter((box) => box.checked)));
      for (const box of boxes) {
        box.checked = true;
        box.disabled = true;
      }
    } else if (!all.checked && former.has(list)) {
      for (const box of boxes) {
        box.checked = former.get(list).has(box);
        box.disabled = false;
      }
      former.delete(list);
    }
  };

  const changed = (list) => {
    list.dispatchEvent(new CustomEvent('portal:modules', { bubbles: true }));
  };

  portal.onContent((root) => {
    for (const list of portal.all(root, '[data-modules]')) {
      lock(list);
      describe(list);
    }
  });

  // A page that Back brings may have boxes ticked that its source has not.
  window.addEventListener('pageshow', () => {
    for (const list of document.querySelectorAll('[data-modules]')) {
      lock(list);
      describe(list);
      changed(list);
    }
  });

  document.addEventListener('change', (event) => {
    const list = event.target.name === 'modules' && event.target.closest('[data-modules]');
    if (list) {
      lock(list);
      describe(list);
      speak(list);
      changed(list);
    }
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-modules] [name="select"]');
    if (button) {
      event.preventDefault();
      const list = button.closest('[data-modules]');
      for (const box of parts(list).boxes) {
        box.checked = button.value === 'all';
      }
      describe(list);
      speak(list);
      changed(list);
      // The button pressed may be hidden now; its counterpart is not.
      if (button.hidden) {
        list.querySelector(`[name="select"]:not([hidden])`)?.focus();
      }
    }
  });

  // Find a module
  document.addEventListener('input', (event) => {
    if (!event.target.matches('[data-find]')) {
      return;
    }
    const list = event.target.closest('[data-modules]');
    const text = event.target.value.trim();
    let shown = 0;
    for (const box of parts(list).boxes) {
      const about = box.closest('.module').textContent.toLocaleLowerCase();
      const fits = about.includes(text.toLocaleLowerCase());
      box.closest('li').hidden = !fits;
      shown += fits ? 1 : 0;
    }
    const none = list.querySelector('[data-none]');
    none.hidden = shown > 0;
    none.textContent = shown > 0 ? '' : portal.fill(none.dataset.none, { text });
  });

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.matches('[data-find]')) {
      event.preventDefault(); // Enter in the find box must not send the form.
    }
  });
}

/* ---------- Panel of changes ---------- */

{
  const text = (parent, value, tag = 'span') => {
    const element = document.createElement(tag);
    element.textContent = value;
    parent.append(element);
    return element;
  };

  const fieldRow = (title, before, after) => {
    const row = document.createElement('div');
    text(row, title, 'dt');
    text(text(row, '', 'dd'), before, 'del');
    text(row, after, 'dd');
    return row;
  };

  const moduleRow = (title, names, template) => {
    const row = document.createElement('div');
    text(row, title, 'dt');
    for (const name of names) {
      const item = template.content.cloneNode(true);
      item.querySelector('[data-text]').textContent = name;
      text(row, '', 'dd').append(item);
    }
    return row;
  };

  const show = (form) => {
    const panel = form.querySelector('[data-changes]');
    const rows = [];
    let count = 0;

    for (const field of form.querySelectorAll('[data-track]')) {
      const value = field.querySelector('input, textarea, select').value;
      const before = field.dataset.initial.replace(/\r\n?/g, '\n');
      if (value.trim() !== before.trim()) {
        rows.push(fieldRow(field.dataset.track, before || panel.dataset.empty, value || panel.dataset.empty));
        count += 1;
      }
    }

    // What the token reaches in effect: All covers every module of the list, and those to come.
    const added = [];
    const removed = [];
    const all = form.querySelector('[data-track-modules] [data-all][type="checkbox"]');
    const hadAll = all.dataset.initial === 'on';
    const note = (module, name, had, has) => {
      const change = had === has ? '' : has ? 'added' : 'removed';
      const word = module.querySelector('[data-change]');
      module.classList.toggle('module-added', change === 'added');
      module.classList.toggle('module-removed', change === 'removed');
      word.textContent = change ? word.dataset[change] : '';
      if (change) {
        (has ? added : removed).push(name);
        count += 1;
      }
    };
    for (const box of form.querySelectorAll('[data-track-modules] input[name="modules"]')) {
      if (box !== all) {
        const module = box.closest('.module');
        note(module, module.querySelector('.module-name').textContent.trim(), hadAll || box.dataset.initial === 'on', all.checked || box.checked);
      }
    }
    note(all.closest('.module'), panel.dataset.future, hadAll, all.checked);

    const warning = form.querySelector('[data-loss-warning]');
    if (warning) {
      warning.hidden = removed.length === 0;
      form.querySelector('[data-loss]').value = removed.join('|');
    }
    if (added.length) {
      rows.push(moduleRow(panel.dataset.added, added, panel.querySelector('[data-added-item]')));
    }
    if (removed.length) {
      rows.push(moduleRow(panel.dataset.removed, removed, panel.querySelector('[data-removed-item]')));
    }

    const title = panel.querySelector('[data-changes-title]');
    const list = panel.querySelector('[data-changes-list]');
    title.textContent =
      count === 0 ? title.dataset.none : count === 1 ? title.dataset.one : portal.fill(title.dataset.many, { count });
    list.replaceChildren(...rows);
    list.hidden = count === 0;
    form.querySelector('[data-save]').disabled = count === 0;
  };

  const showAll = () => document.querySelectorAll('form[data-edit]').forEach(show);

  showAll();
  window.addEventListener('pageshow', showAll);
  for (const name of ['input', 'change', 'portal:modules']) {
    document.addEventListener(name, (event) => {
      const form = event.target.closest?.('form[data-edit]');
      if (form) {
        show(form);
      }
    });
  }
}
