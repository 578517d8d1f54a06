/* Reads every resource of CloudBlue's JavaScript SDK and prints what it got, as JSON. */

'use strict';

const { ConnectClient } = require('@cloudblueconnect/connect-javascript-sdk');

const LISTS = {
  accounts: 'accounts',
  assets: 'assets',
  billingRequests: 'subscriptions/requests',
  products: 'products',
  requests: 'requests',
  hubs: 'hubs',
  recurringAssets: 'subscriptions/assets',
  tierAccounts: 'tier/accounts',
  tierAccountRequests: 'tier/account-requests',
  tierConfigs: 'tier/configs',
  tierConfigRequests: 'tier/config-requests',
  webhooks: 'notifications/webhooks',
  listingRequests: 'listing-requests',
  cases: 'helpdesk/cases',
  conversations: 'conversations',
};

/* What a call gave, or how it was refused. */
const outcome = async (call) => {
  try {
    return await call();
  } catch (error) {
    return { status: error.status, code: error.errorCode };
  }
};

const run = async (endpoint, key) => {
  const client = new ConnectClient(endpoint, key);
  const told = { lists: {}, records: {}, below: {}, refused: {} };
  const { conversations } = client;
  const [request] = await client.requests.search({ limit: 1 });
  told.found = await outcome(() => conversations.getConversationsByObjectId(request.id));
  const talk = told.found[0].id;
  told.written = await outcome(() => conversations.createMessage(talk, 'Written by the SDK.'));
  for (const [name, path] of Object.entries(LISTS)) {
    const rows = await outcome(() => client[name].search({ limit: 5, $ordering: 'id' }));
    told.lists[path] = rows;
    if (rows.length) {
      told.records[`${path}/${rows[0].id}`] = await outcome(() => client[name].get(rows[0].id));
    }
  }
  const account = told.lists.accounts[0].id;
  const product = told.lists.products[0].id;
  const { products } = client;
  const below = {
    [`accounts/${account}/users`]: () => client.accounts.users(account).search(),
    [`conversations/${talk}/messages`]: () => conversations.messages(talk).search(),
    [`products/${product}/items`]: () => products.getItems(product),
    [`products/${product}/templates`]: () => products.getTemplates(product),
    [`products/${product}/parameters`]: () => products.parameters(product).search(),
    [`products/${product}/connections`]: () => products.connections(product).search(),
    [`products/${product}/versions`]: () => products.versions(product).search(),
    [`products/${product}/configurations`]: () => products.configurations(product).search(),
    [`products/${product}/actions`]: () => products.actions(product).search(),
  };
  for (const [path, call] of Object.entries(below)) {
    told.below[path] = await outcome(call);
  }
  const stranger = new ConnectClient(endpoint, 'ApiKey SU-000-000-000:0');
  told.refused.key = await outcome(() => stranger.accounts.search());
  told.refused.record = await outcome(() => client.products.get('PRD-999-999-999'));
  told.refused.query = await outcome(() => client.products.search({ $ordering: 'nonsense' }));
  told.refused.absent = await outcome(() => client.products.fetch('/usage/records'));
  return told;
};

run(...process.argv.slice(2)).then((told) => {
  process.stdout.write(JSON.stringify(told));
});
