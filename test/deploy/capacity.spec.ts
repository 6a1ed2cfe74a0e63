import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { databaseEnvironment } from '#lib/config';
import { quantityBytes } from '#lib/contracts';
import { chartFolder, type Values } from '#tools/helm';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { render } from './rendered.js';

const compose = readFileSync(fileURLToPath(new URL('../../docker-compose.yml', import.meta.url)), 'utf8');
const values = parse(readFileSync(`${chartFolder}/values.yaml`, 'utf8')) as {
  services: Record<string, { maxReplicas: number }>;
};

describe('the servers that the chart and the compose file bring', () => {
  const manifest = async (kind: string, name: string, given?: Values) =>
    JSON.stringify((await render(given)).manifests.find((one) => one.kind === kind && one.metadata.name === name));

  it('take the connections of as many processes as there may be', async () => {
    const perProcess = databaseEnvironment.DATABASE_POOL_SIZE.parse(undefined);
    const services = Object.values(values.services);
    // An update starts one pod of each service beside the others; the operator has some connections, too.
    const most = services.reduce((sum, { maxReplicas }) => sum + maxReplicas + 1, 0);
    const connections = (text: string) => Number(/max_connections=(\d+)/.exec(text)?.[1]);
    expect(connections(await manifest('StatefulSet', 'postgres'))).toBeGreaterThan(most * perProcess + 10);
    expect(connections(compose), 'four of each service').toBeGreaterThan(services.length * 4 * perProcess + 10);
  });

  it.each(['10Gi', '1.5Gi', '800Mi', '2Ti', '100G', '500000000'])(
    'have the streams end before a volume of %s',
    async (storage) => {
      const rendered = await manifest('ConfigMap', 'nats', { nats: { storage } });
      const most = quantityBytes(/max_file_store: (\w+)/.exec(rendered)?.[1]?.replace(/B$/, '') ?? '');
      expect(most! / quantityBytes(storage)!).toBeCloseTo(0.9, 2);
    },
  );

  it('have the streams end where the values say', async () => {
    expect(await manifest('ConfigMap', 'nats', { nats: { fileStore: '7Gi' } })).toContain('max_file_store: 7Gi\\n');
  });
});
