/* The module list of a form, and the panel that shows what saving would change. */

'use strict';

/* ---------- Module list ---------- */

{
  const former = new WeakMap(); // What was ticked before "All Modules" was.
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

  /** Announce the access sentence, at most once a second and only its last state. */
  const speak = (list) => {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      const access = list.querySelector('[data-access]');
      if (access) {
        const lines = [...access.querySelectorAll('[data-line]')].filter((each) => !each.hidden);
        portal.announce(
          lines.map((each) => each.textContent.trim().replace(/\s+/g, ' ')).join(' '),
        );
      }
    }, 1000);
  };

  const lock = (list) => {
    const { all, boxes } = parts(list);
    if (all.disabled) {
      return; // A fixed set, with nothing to choose.
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

  // A page restored by Back may have boxes ticked that are not in its HTML.
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
      // The pressed button may be hidden now, but its counterpart is not.
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
      event.preventDefault(); // Enter in the find box must not submit the form.
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
      const input = field.querySelector('input, textarea, select');
      const value =
        input.type === 'checkbox' ? input.dataset[input.checked ? 'on' : 'off'] : input.value;
      const before = field.dataset.initial.replace(/\r\n?/g, '\n');
      if (value.trim() !== before.trim()) {
        rows.push(
          fieldRow(
            field.dataset.track,
            before || panel.dataset.empty,
            value || panel.dataset.empty,
          ),
        );
        count += 1;
      }
    }

    // Effective access: All covers every module of the list, and future ones.
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
        note(
          module,
          module.querySelector('.module-name').textContent.trim(),
          hadAll || box.dataset.initial === 'on',
          all.checked || box.checked,
        );
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
      rows.push(
        moduleRow(panel.dataset.removed, removed, panel.querySelector('[data-removed-item]')),
      );
    }

    const title = panel.querySelector('[data-changes-title]');
    const list = panel.querySelector('[data-changes-list]');
    title.textContent =
      count === 0
        ? title.dataset.none
        : count === 1
          ? title.dataset.one
          : portal.fill(title.dataset.many, { count });
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
