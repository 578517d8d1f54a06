/* The self-test: send a header as programs do, and show whether it arrived. */

'use strict';

{
  const list = document.querySelector('[data-probe]');

  const show = (arrived) => {
    for (const finding of list.querySelectorAll('[data-arrived]')) {
      finding.hidden = finding.dataset.arrived !== arrived;
    }
  };

  const probe = async () => {
    try {
      const answer = await fetch(list.dataset.probeUrl, {
        headers: { Authorization: list.dataset.probe },
        credentials: 'omit',
        cache: 'no-store',
        signal: AbortSignal.timeout(10000),
      });
      const { authorization } = await answer.json();
      show(['intact', 'changed', 'missing'].includes(authorization) ? authorization : 'failed');
    } catch {
      show('failed');
    }
  };

  probe();
}
