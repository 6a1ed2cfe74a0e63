import type { V1Secret } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { EgressTokens } from './egress-service.js';
import { CREDENTIALS_END } from './names.js';
import { KubernetesSettings } from './settings.js';
import { WorkspaceSecrets } from './workspace-secrets.js';

const TTL_SECONDS = 3_600;

describe('the bus credentials of workspaces in pods', () => {
  it('are made anew once half of their time is over, one failure keeping no other from theirs', async () => {
    const now = Date.now() / 1_000;
    const mounted = (agentId: string, endsInSeconds: number) => ({
      agentId,
      secret: { metadata: { annotations: { [CREDENTIALS_END]: String(Math.floor(now + endsInSeconds)) } } } as V1Secret,
    });
    const merged: V1Secret[] = [];
    const warnings: string[] = [];
    const secrets = new WorkspaceSecrets(
      {
        settings: KubernetesSettings.parse({
          namespace: 'roost',
          image: 'roost-workspace:test',
          bus: { host: '127.0.0.1', port: 4222, peer: { podSelector: {} } },
          egress: { host: '127.0.0.1', port: 3129, peer: { podSelector: {} } },
        }),
        mintCredentials: (agentId) =>
          agentId === 'unlucky' ? Promise.reject(new Error('no seed')) : Promise.resolve(`new ones of ${agentId}`),
        credentialsTtlSeconds: TTL_SECONDS,
        certificate: () => Promise.resolve(''),
        logger: { warn: (fields) => void warnings.push((fields as { agentId: string }).agentId) },
      },
      new EgressTokens('seed'),
      {
        merge: (object) => {
          merged.push(object);
          return Promise.resolve(object);
        },
      },
      { secretsInUse: () => [mounted('fresh', 3_500), mounted('unlucky', 10), mounted('due', 1_700)] },
    );
    await secrets.renew();
    expect(merged).toHaveLength(1);
    const [secret] = merged;
    expect(Buffer.from(secret?.data?.['bus.creds'] ?? '', 'base64').toString()).toBe('new ones of due');
    expect(secret?.metadata?.name).toContain('due');
    expect(Number(secret?.metadata?.annotations?.[CREDENTIALS_END]) - now).toBeGreaterThan(TTL_SECONDS - 60);
    expect(warnings).toEqual(['unlucky']);
  });
});
