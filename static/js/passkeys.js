/*
 * Passkeys: a button with `data-passkey` asks the browser for one, puts what it answers into the
 * field `data-into` of its form, and sends the form. Such buttons are hidden where there are none;
 * then an element with `data-no-passkeys` says why.
 */

'use strict';

{
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (sign) => sign.charCodeAt(0));

  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, '-')
      .replace(/\//g, '_')
      .replace(/=+$/, '');

  /** Whether passkeys work here: not without HTTPS, and not under an IP address. */
  const possible =
    window.isSecureContext &&
    'PublicKeyCredential' in window &&
    !/^[\d.]+$|:/.test(window.location.hostname);

  const withBytes = (credentials) =>
    (credentials || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const make = ({ publicKey }) =>
    navigator.credentials.create({
      publicKey: {
        ...publicKey,
        challenge: bytes(publicKey.challenge),
        user: { ...publicKey.user, id: bytes(publicKey.user.id) },
        excludeCredentials: withBytes(publicKey.excludeCredentials),
      },
    });

  const use = ({ publicKey }) =>
    navigator.credentials.get({
      publicKey: {
        ...publicKey,
        challenge: bytes(publicKey.challenge),
        allowCredentials: withBytes(publicKey.allowCredentials),
      },
    });

  /** Return a credential as the portal reads it: every buffer as text. */
  const inWords = (credential) => {
    const response = {};
    for (const name of [
      'clientDataJSON',
      'attestationObject',
      'authenticatorData',
      'signature',
      'userHandle',
    ]) {
      if (credential.response[name]) {
        response[name] = text(credential.response[name]);
      }
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    });
  };

  const optionsFor = (button) => {
    const body = new FormData();
    body.set('csrfmiddlewaretoken', button.form.elements.csrfmiddlewaretoken.value);
    body.set('for', button.dataset.passkey);
    return fetch(button.dataset.options, { method: 'POST', body, redirect: 'error' });
  };

  const run = async (button) => {
    const { form } = button;
    button.disabled = true;
    try {
      const answer = await optionsFor(button);
      if (!answer.ok) {
        // The password has to be given first, or the session is over: the form says so.
        form.requestSubmit();
        return;
      }
      const options = await answer.json();
      const credential = await (button.dataset.passkey === 'add' ? make(options) : use(options));
      form.elements[button.dataset.into].value = inWords(credential);
      form.requestSubmit();
    } catch {
      portal.announce(button.dataset.refused);
      button.title = button.dataset.refused;
    } finally {
      button.disabled = false;
    }
  };

  portal.onContent((root) => {
    if (possible) {
      for (const button of portal.all(root, '[data-passkey]')) {
        button.hidden = false;
      }
      for (const hint of portal.all(root, '[data-no-passkeys]')) {
        hint.hidden = true;
      }
    }
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-passkey]');
    if (button && possible) {
      event.preventDefault();
      run(button);
    }
  });
}
