import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { databaseEnvironment } from '#lib/config';
import { quantityBytes } from '#lib/contracts';
import { chartFolder } from '#tools/helm';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { render } from './rendered.js';

const compose = readFileSync(fileURLToPath(new URL('../../docker-compose.yml', import.meta.url)), 'utf8');
const values = parse(readFileSync(`${chartFolder}/values.yaml`, 'utf8')) as {
  services: Record<string, { maxReplicas: number }>;
  nats: { storage: string; fileStore: string };
};

describe('the servers that the chart and the compose file bring', () => {
  const manifest = async (kind: string, name: string) =>
    JSON.stringify((await render()).manifests.find((one) => one.kind === kind && one.metadata.name === name));

  it('take the connections of as many processes as there may be', async () => {
    const perProcess = databaseEnvironment.DATABASE_POOL_SIZE.parse(undefined);
    const services = Object.values(values.services);
    // An update starts one pod of each service beside the others; the operator has some connections, too.
    const most = services.reduce((sum, { maxReplicas }) => sum + maxReplicas + 1, 0);
    const connections = (text: string) => Number(/max_connections=(\d+)/.exec(text)?.[1]);
    expect(connections(await manifest('StatefulSet', 'postgres'))).toBeGreaterThan(most * perProcess + 10);
    expect(connections(compose), 'four of each service').toBeGreaterThan(services.length * 4 * perProcess + 10);
  });

  it('have the streams end before the volume does', async () => {
    const { fileStore, storage } = values.nats;
    expect(quantityBytes(fileStore)).toBeLessThan(quantityBytes(storage)!);
    expect(await manifest('ConfigMap', 'nats')).toContain(`max_file_store: ${fileStore}\\n`);
  });
});
