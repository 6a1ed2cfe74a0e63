import { OtlpReceiver, spawnRoost, temporaryFolder, until } from '#lib/testing';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backup } from '../../tools/backup/backup.js';
import { type Hosts, startHosts } from '../egress/hosts.js';

/** Of each kind that is put on requests as it is. */
const canaries = ['bearer', 'basic', 'header', 'query', 'rotated'].map((kind) => `canary-${kind}-${randomUUID()}`);
const [BEARER = '', BASIC = '', HEADER = '', QUERY = '', ROTATED = ''] = canaries;
const formsOf = (value: string) => [
  value,
  Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(value).toString('hex'),
];
const found = (bytes: Buffer): string[] =>
  canaries.filter((value) => formsOf(value).some((form) => bytes.includes(form)));

let hosts: Hosts;
let receiver: OtlpReceiver;
beforeAll(async () => {
  hosts = await startHosts();
  receiver = await OtlpReceiver.start();
});
afterAll(() => {
  hosts?.close();
  receiver?.stop();
});

it('secrets that agents used are in no backup and in no exported trace', async () => {
  const dataDir = temporaryFolder();
  const trusted = join(temporaryFolder(), 'hosts.pem');
  writeFileSync(trusted, hosts.authority.certificate);
  const roost = await spawnRoost({
    dataDir,
    env: {
      NODE_EXTRA_CA_CERTS: trusted,
      ROOST_EGRESS_ALLOWED_RANGES: '127.0.0.0/8,::1/128',
      ROOST_LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '200',
    },
  });
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await roost.api<T>(method, path, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  };
  const host = `localhost:${hosts.port}`;
  const configuration = { model: 'demo' };
  const { id: agentId } = await call<{ id: string }>('POST', '/v1/agent/create', { name: 'a', configuration });
  const granted = async (name: string, credential: object) => {
    const secret = await call<{ id: string }>('POST', '/v1/vault/secrets', {
      ...{ name, hosts: [host], placements: ['headers', 'query', 'body'], credential },
    });
    const grant = { secret_id: secret.id, env_name: name.toUpperCase() };
    await call('POST', `/v1/agent/${agentId}/vault/grants`, grant);
    return secret.id;
  };
  const bearer = await granted('one', { kind: 'bearer', token: BEARER });
  await granted('two', { kind: 'basic', username: 'ada', password: BASIC });
  await granted('three', { kind: 'header', name: 'X-Api-Key', value: HEADER });
  await granted('four', { kind: 'query', name: 'key', value: QUERY });
  const run = async (command: string) => {
    const path = `/v1/agent/${agentId}/messages`;
    const { id } = await call<{ id: string }>('POST', path, { content: `run: ${command}` });
    return JSON.stringify(await call('GET', `${path}/${id}?wait=60`));
  };
  // The host answers with what it was sent, and so do the commands, into a file and into the conversation.
  const uses = [
    '-H "Authorization: Bearer $ONE"',
    '-u "ada:$TWO"',
    '-H "X-Api-Key: $THREE"',
    '-d "key=$ONE&other=$TWO"',
    '--compressed -H "Authorization: Bearer $ONE"',
  ];
  const curl = (use: string, path = '/') => `curl -sS --noproxy '' ${use} "https://${host}${path}" | tee -a seen.txt`;
  for (const use of uses) expect(await run(curl(use))).toContain('roost: removed');
  await run(curl('', '/?key=$FOUR'));
  await run(
    `curl -sS --noproxy '' -H "Authorization: Bearer $ONE" http://${host}/ https://127.0.0.1:${hosts.port}/ 2>&1`,
  );
  await call('PATCH', `/v1/vault/secrets/${bearer}`, { credential: { kind: 'bearer', token: ROTATED } });
  await until('the new value is sent', async () => {
    await run(curl(uses[0] ?? ''));
    return JSON.stringify(hosts.arrivals.at(-1)).includes(ROTATED);
  });
  const arrived = Buffer.from(JSON.stringify(hosts.arrivals));
  expect(canaries.filter((value) => !formsOf(value).some((form) => arrived.includes(form)))).toEqual([]);

  await until('traces are exported', () => receiver.spans.length > 10);
  await roost.stop();
  expect(found(Buffer.from(JSON.stringify([receiver.spans, receiver.requests])))).toEqual([]);

  const file = join(temporaryFolder(), 'roost.tar.gz');
  await backup(dataDir, file);
  const unpacked = temporaryFolder();
  execFileSync('tar', ['--extract', '--gzip', '--file', file, '--directory', unpacked]);
  const files = readdirSync(unpacked, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(100);
  const leaks = files.flatMap(({ parentPath, name }) => {
    const path = join(parentPath, name);
    return found(readFileSync(path)).map((value) => `${path}: ${value}`);
  });
  expect(leaks).toEqual([]);
  // The search would have found them: what the agent wrote is there.
  const hasSeen = files.some(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes('roost: removed'));
  expect(hasSeen).toBe(true);
});
