import { followEvents, readEvents, type TestRoost, until } from '#lib/testing';
import type { Recorder } from './recorder.js';

interface Made {
  id: string;
  uuid: string;
}

/** Agents, messages and what the stream of one says, files, sessions. Returns the agent, which goes on. */
export async function walkAgents(roost: TestRoost, recorder: Recorder): Promise<string> {
  const { call, refused } = recorder;
  const { id } = await call<Made>('POST', '/v1/agent/create', {
    name: 'Robin',
    description: 'Keeps the notes',
    system_prompt: 'You keep the notes of a small team.',
    configuration: { model: 'demo', timeout_seconds: 600, network: { mode: 'allowlist', allow: ['api.github.com'] } },
    initial_files: [{ path: 'notes.txt', content: 'Buy milk\n' }],
  });
  const agent = `/v1/agent/${id}`;
  const key = { authorization: `Bearer ${roost.apiKey}` };
  const stream = followEvents(`${roost.url}${agent}/events`, { ...key, 'last-event-id': '0' }, ({ type, data }) =>
    recorder.event(type, data),
  );
  await call('GET', '/v1/agent/list');
  await walkMessages(recorder, agent);
  const { runs } = await call<{ runs: Made[] }>('GET', `${agent}/runs`);
  await call('GET', `${agent}/runs/${runs[0]?.id}`);
  for (const { type, data } of await readEvents(`${roost.url}${agent}/runs/${runs[0]?.id}/events`, key))
    recorder.event(type, data);
  await walkCancel(recorder, agent);
  await call('GET', agent);
  await call('GET', `${agent}/summary`);
  await call('GET', `${agent}/ready`);
  await walkVersions(recorder, id);
  await walkApprovals(recorder, id);
  await call('POST', `${agent}/balance`, { delta: 100_000 });
  await refused('CONFLICT', 'POST', `${agent}/balance`, { delta: -100_000_000 });
  await call('POST', `${agent}/sessions/reset`, { conversation_id: 'default' });
  await walkFiles(roost, recorder, `${agent}/filesystem`);
  await call('GET', `${agent}/network/log`);
  await call('POST', `${agent}/pause`);
  await call('POST', `${agent}/resume`);
  await call('POST', `${agent}/stop`);
  await refused('AGENT_UNAVAILABLE', 'POST', `${agent}/messages`, { content: 'Are you there?' });
  await call('POST', `${agent}/status`, { status: 'active' });
  await call('GET', '/v1/models');
  await until('the stream has shown the status', () => 'agent.status' in recorder.seen.events);
  await stream.stop();
  return id;
}

/** Changes what is configured, and goes back. */
async function walkVersions({ call, refused }: Recorder, id: string): Promise<void> {
  const update = `/v1/agent/update/${id}`;
  await call('POST', update, { description: 'Keeps the notes and the list', note: 'the list is new' });
  await refused('CONFLICT', 'POST', update, { description: 'Something else' }, { 'if-match': '"1"' });
  await call('GET', `/v1/agent/${id}/versions`);
  await call('GET', `/v1/agent/${id}/versions/1`);
  await call('GET', `/v1/agent/${id}/versions/diff?from=1&to=2`);
  await call('POST', `/v1/agent/${id}/permissions/explain`, {
    tool: 'bash',
    arguments: { command: 'rm -r notes' },
    permissions: { rules: [{ tool: 'bash', arguments: { command: 'rm *' }, action: 'ask' }] },
  });
  await call('POST', `/v1/agent/${id}/rollback`, { version: 1, note: 'the list was not needed' });
  const rhymes = { system_prompt: 'You keep the notes. Answer in rhymes.', note: 'for the party' };
  await call('POST', `/v1/agent/${id}/versions`, rhymes);
  await call('PATCH', `/v1/agent/${id}/conversations/default`, { pinned_version: 1 });
  await call('PATCH', `/v1/agent/${id}/conversations/default`, { pinned_version: null });
}

/** Has the agent ask before it runs a command, and decides. */
async function walkApprovals({ call, refused }: Recorder, id: string): Promise<void> {
  const permissions = { rules: [{ tool: 'bash', action: 'ask' }], expires_after_seconds: 3_600 };
  await call('POST', `/v1/agent/update/${id}`, { configuration: { permissions } });
  const asked = async (content: string) => {
    await call('POST', `/v1/agent/${id}/messages`, { content });
    return until('it is asked', async () => {
      const { approvals } = await call<{ approvals: Made[] }>('GET', `/v1/approvals?status=pending&agent_id=${id}`);
      return approvals[0];
    });
  };
  const approval = await asked('run: echo deployed');
  await call('GET', `/v1/approvals/${approval.id}`);
  await call('POST', `/v1/approvals/${approval.id}/decide`, { decision: 'allow_once', message: 'Go ahead.' });
  await refused('CONFLICT', 'POST', `/v1/approvals/${approval.id}/decide`, { decision: 'deny' });
  const question = await asked('ask: Which colour? | red | blue');
  await call('POST', `/v1/approvals/${question.id}/answer`, { answer: 'blue' });
  await call('POST', `/v1/agent/update/${id}`, { configuration: { permissions: null } });
}

/** Cancels a run in the middle of a command. */
async function walkCancel({ call }: Recorder, agent: string): Promise<void> {
  await call('POST', `${agent}/messages`, { content: 'run: sleep 60' });
  const running = await until('the command runs', async () => {
    const { runs } = await call<{ runs: Made[] }>('GET', `${agent}/runs?status=running`);
    return runs[0];
  });
  await call('POST', `${agent}/runs/${running.id}/cancel`);
  await until('the run is over', async () => {
    const { runs } = await call<{ runs: Made[] }>('GET', `${agent}/runs?status=running`);
    return runs.length === 0;
  });
}

async function walkMessages({ call, refused }: Recorder, agent: string): Promise<void> {
  const key = { 'idempotency-key': 'order-17' };
  const question = { content: 'read notes.txt', metadata: { ticket: 17 } };
  const sent = await call<Made>('POST', `${agent}/messages`, question, key);
  await refused('IDEMPOTENCY_KEY_REUSED', 'POST', `${agent}/messages`, { content: 'Something else' }, key);
  await refused('VALIDATION_ERROR', 'POST', `${agent}/messages`, { contents: 'Hello' });
  await refused('METHOD_NOT_ALLOWED', 'PUT', `${agent}/messages`, {});
  await refused('NOT_FOUND', 'GET', '/v1/agent/01890000-0000-7000-8000-00000000dead');
  const { replies } = await call<{ replies: Made[] }>('GET', `${agent}/messages/${sent.id}?wait=60`);
  await call('POST', `${agent}/messages/${replies[0]?.id}/read`);
  await call('GET', `${agent}/messages`);
  await call('GET', `${agent}/conversations`);
}

async function walkFiles(roost: TestRoost, { call, refused }: Recorder, files: string): Promise<void> {
  await call('POST', `${files}/files/plan.txt`, { content: 'One\n' });
  await refused('ALREADY_EXISTS', 'POST', `${files}/files/plan.txt`, { content: 'One\n' });
  await call('GET', `${files}/files/plan.txt`);
  await call('PUT', `${files}/files/plan.txt`, { content: 'Two\n' });
  const stale = { 'if-match': '"another"' };
  await refused('PRECONDITION_FAILED', 'PUT', `${files}/files/plan.txt`, { content: 'Three\n' }, stale);
  await call('PATCH', `${files}/files/plan.txt`, { operation: 'append', content: 'Three\n' });
  const beyond = { accept: 'application/octet-stream', range: 'bytes=99-' };
  await refused('RANGE_NOT_SATISFIABLE', 'GET', `${files}/files/plan.txt`, undefined, beyond);
  await refused('ACCESS_DENIED', 'GET', `${files}/files/..%2f..%2fetc%2fpasswd`);
  await call('POST', `${files}/directories/archive`, {});
  await call('GET', `${files}/directories`);
  await call('GET', `${files}/directories/archive`);
  await call('GET', `${files}/metadata/plan.txt`);
  await call('PATCH', `${files}/metadata/plan.txt`, { permissions: '640', tags: ['draft'] });
  await call('POST', `${files}/operations/copy`, { operations: [{ source: 'plan.txt', destination: 'copy.txt' }] });
  await call('POST', `${files}/operations/move`, { operations: [{ source: 'copy.txt', destination: 'old.txt' }] });
  await call('POST', `${files}/operations/search`, { query: '*.txt' });
  await call('POST', `${files}/operations/delete`, { paths: ['old.txt'] });
  await call('GET', `${files}/archive/archive`);
  const packed = await fetch(`${roost.url}${files}/archive/archive`, {
    headers: { authorization: `Bearer ${roost.apiKey}` },
  });
  const gzip = { 'content-type': 'application/gzip' };
  await call('POST', `${files}/archive/unpacked`, new Uint8Array(await packed.arrayBuffer()), gzip);
  await call('DELETE', `${files}/directories/archive`);
  await call('DELETE', `${files}/files/plan.txt`);
}
