/* Menus and popovers: only one is open at a time; Escape or a click elsewhere closes it. */

'use strict';

{
  const openMenus = () => document.querySelectorAll('details.menu[open]');

  const entries = (menu) => [
    ...menu.querySelectorAll(
      '.popover :is(a[href], button, input):not(:disabled, [type="hidden"])',
    ),
  ];

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
      // Wherever the focus is: clicking on text in a menu does not move it into the menu.
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
      const next =
        here < 0 && step < 0 ? list.length - 1 : (here + step + list.length) % list.length;
      list[next]?.focus();
      event.preventDefault();
    } else if (
      (event.key === 'Home' || event.key === 'End') &&
      menu.open &&
      event.target.type !== 'text'
    ) {
      entries(menu)
        .at(event.key === 'Home' ? 0 : -1)
        ?.focus();
      event.preventDefault();
    }
  });

  // The position of a floating menu, in its own sheet: the CSP refuses a `style` attribute once htmx
  // copies the element.
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);

  // Opens above the button if there is no room below it.
  const place = (menu) => {
    const popover = menu.querySelector('.popover');
    menu.classList.remove('menu-up', 'menu-floating');
    const box = popover.getBoundingClientRect();
    const button = menu.querySelector('summary').getBoundingClientRect();
    const up = button.bottom + box.height + 4 > window.innerHeight && button.top > box.height + 8;
    menu.classList.toggle('menu-up', up);
    if (menu.closest('.table-scroll')) {
      // A scrolling box would clip the menu, so position it in the window instead.
      const left = Math.max(button.right - box.width, 8);
      const top = up ? button.top - box.height - 4 : button.bottom + 4;
      sheet.replaceSync(`.menu-floating > .popover { left: ${left}px; top: ${top}px; }`);
      menu.classList.add('menu-floating');
    }
  };

  // htmx saves a copy of the page for Back, in which no menu should be open.
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
