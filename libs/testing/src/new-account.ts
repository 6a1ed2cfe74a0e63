import { randomUUID } from 'node:crypto';
import { ownCall } from '#lib/call-context';
import { requestOverNats } from '#lib/rpc';
import { createAccount, createAccountKey } from '#lib/contracts';
import { apiClient, type ApiClient } from './api-client.js';
import { connectAs } from './connect-as.js';

/** Another account of a running Roost, with agents enabled, as `npm run admin` makes it. */
export async function newAccount({
  url,
  natsUrl,
  natsCreds,
}: {
  url: string;
  natsUrl: string;
  natsCreds: string;
}): Promise<{ accountId: string; email: string; password: string; apiKey: string; api: ApiClient }> {
  const bus = await connectAs(natsCreds, natsUrl);
  try {
    const call = () => ownCall('req_admin', 10_000);
    const email = `${randomUUID()}@example.test`;
    const password = randomUUID();
    const made = await requestOverNats(bus, createAccount, { email, password, agentsEnabled: true }, call());
    const { key } = await requestOverNats(bus, createAccountKey, { account: email, name: 'test' }, call());
    return { accountId: made.accountId, email, password, apiKey: key, api: apiClient(url, key) };
  } finally {
    await bus.close();
  }
}
