import { describe, expect, it } from 'vitest';
import { serviceEnvironment } from './service-environment.js';

describe('what services may call', () => {
  const networksAt = async (host: string, inherited = {}) => {
    const environment = await serviceEnvironment(
      {
        ...{ inherited, host, port: 3_000, dataDir: '/data', databaseUrl: '', natsUrl: '', url: '', isAlone: false },
        ...{
          bubblewrapPath: '',
          secrets: { masterKeyFile: '', previousMasterKeysFile: '', apiKeyFile: '', apiKey: '' },
        },
      },
      'webhook-dispatch',
    );
    return [environment.ROOST_WEBHOOK_NETWORK, environment.ROOST_MCP_NETWORK];
  };

  it.each([
    ['127.0.0.1', 'local'],
    ['::1', 'local'],
    ['localhost', 'local'],
    ['0.0.0.0', 'public'],
    ['::', 'public'],
    ['192.168.1.7', 'public'],
    ['', 'public'],
  ])('follows the host: with %j that is %s, for webhooks as for MCP servers', async (host, network) => {
    expect(await networksAt(host)).toEqual([network, network]);
    expect(await networksAt(host, { ROOST_WEBHOOK_NETWORK: 'local' })).toEqual(['local', network]);
  });
});
