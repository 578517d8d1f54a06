/* Opens dialogs as modals, and returns the focus when they close. */

'use strict';

portal.onContent((root) => {
  for (const dialog of portal.all(root, 'dialog[data-modal]')) {
    // It is rendered open, as a card in the page, for browsers without scripts.
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
