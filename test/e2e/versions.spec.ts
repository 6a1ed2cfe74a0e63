import { startRoost, type TestRoost } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Sent {
  id: string;
}
interface Answered {
  message: { error: { code: string; message: string } | null };
  run_id: string;
}
interface Run {
  configuration_version: number | null;
}
interface Edited {
  version: number;
  system_prompt: string;
}
interface Refused {
  error: { code: string; details: { reason: string; version: number }[] };
}

let roost: TestRoost;
beforeAll(async () => {
  roost = await startRoost();
});
afterAll(() => roost?.stop());

describe('versions', () => {
  const made = async (fields: object) =>
    `/v1/agent/${(await roost.api<Sent>('POST', '/v1/agent/create', { name: 'ann', ...fields })).body.id}`;
  const edit = (of: string, fields: object, over?: number) =>
    roost.api<Edited & Refused>(
      'POST',
      of.replace('/agent/', '/agent/update/'),
      fields,
      over === undefined ? {} : { 'if-match': `"${over}"` },
    );

  it('follow from edits, are compared field by field, and gone back to', async () => {
    const agent = await made({ system_prompt: 'Be brief.', configuration: { timeout_seconds: 60 } });
    const { body: edited } = await edit(agent, { system_prompt: 'Be kind.', configuration: { timeout_seconds: 90 } });
    expect(edited.version).toBe(2);
    const { body: diff } = await roost.api('GET', `${agent}/versions/diff?from=1&to=2`);
    expect(diff).toMatchObject({
      changes: [
        { field: 'configuration.timeout_seconds', change: 'changed', from: 60, to: 90 },
        { field: 'system_prompt', change: 'changed', from: 'Be brief.', to: 'Be kind.' },
      ],
    });
    const back = await roost.api('POST', `${agent}/rollback`, { version: 1 }, { 'if-match': '"2"' });
    expect(back.body).toMatchObject({ version: 3, not_restored: [], agent: { system_prompt: 'Be brief.' } });
    const stale = await roost.api<Refused>('POST', `${agent}/rollback`, { version: 2 }, { 'if-match': '"2"' });
    expect(stale.status).toBe(409);
    expect(stale.body.error.details).toMatchObject([{ reason: 'version_changed', version: 3 }]);
    expect((await roost.api('GET', `${agent}/versions/diff?from=1&to=3`)).body).toMatchObject({ changes: [] });
  });

  it('lose no edit of people who edit at once', async () => {
    const agent = await made({ system_prompt: 'Notes:' });
    const editors = Array.from({ length: 6 }, (_, n) => `line of editor ${n}`);
    let refusals = 0;
    const append = async (line: string) => {
      for (;;) {
        const { body: seen } = await roost.api<Edited>('GET', agent);
        const saved = await edit(agent, { system_prompt: `${seen.system_prompt}\n${line}` }, seen.version);
        if (saved.status === 200) return;
        expect(saved).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
        expect(saved.body.error.details[0]?.version).toBeGreaterThan(seen.version);
        refusals += 1;
      }
    };
    await Promise.all(editors.map(append));
    const { body } = await roost.api<Edited>('GET', agent);
    expect(body.system_prompt.split('\n').slice(1).sort()).toEqual(editors);
    expect(body.version).toBe(1 + editors.length);
    expect(refusals).toBeGreaterThan(0);
  });
});

describe('drafts and pins', () => {
  let agent = '';
  beforeAll(async () => {
    const { body } = await roost.api<Sent>('POST', '/v1/agent/create', {
      name: 'robin',
      configuration: { model: 'demo' },
    });
    agent = `/v1/agent/${body.id}`;
  });

  const post = async <T>(path: string, body: object) => {
    const answer = await roost.api<T>('POST', `${agent}${path}`, body);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    return answer.body;
  };
  /** The version that answered. */
  const versionOf = async (message: object): Promise<number | null> => {
    const { id } = await post<Sent>('/messages', { content: 'list files', ...message });
    const { body } = await roost.api<Answered>('GET', `${agent}/messages/${id}?wait=60`);
    expect(body.message.error).toBeNull();
    return (await roost.api<Run>('GET', `${agent}/runs/${body.run_id}`)).body.configuration_version;
  };
  const pin = (conversation: string, version: number | null) =>
    roost.api('PATCH', `${agent}/conversations/${encodeURIComponent(conversation)}`, { pinned_version: version });

  it('answer the messages that name them, and no other', async () => {
    const { version } = await post<{ version: number }>('/versions', { system_prompt: 'Rhyme.' });
    expect(version).toBe(2);
    expect(await versionOf({ version })).toBe(2);
    expect(await versionOf({})).toBe(1);
    await post('/rollback', { version });
    expect(await versionOf({})).toBe(3);
  });

  it('keep a conversation at its version until it is unpinned', async () => {
    expect((await pin('default', 1)).body).toEqual({ id: 'default', pinned_version: 1 });
    expect(await versionOf({})).toBe(1);
    expect(await versionOf({ conversation_id: 'other' })).toBe(3);
    expect(await versionOf({ version: 2 })).toBe(2);
    const { body } = await roost.api<{ conversations: { id: string; pinned_version: number | null }[] }>(
      'GET',
      `${agent}/conversations`,
    );
    expect(body.conversations.map(({ id, pinned_version }) => [id, pinned_version]).sort()).toEqual([
      ['default', 1],
      ['other', null],
    ]);
    await pin('default', null);
    expect(await versionOf({})).toBe(3);
  });

  it('are refused where there is no such version, conversation or agent', async () => {
    const sent = await roost.api('POST', `${agent}/messages`, { content: 'x', version: 99 });
    expect(sent).toMatchObject({
      status: 400,
      body: { error: { details: [{ field: 'version', reason: 'unknown_version' }] } },
    });
    expect(await pin('default', 99)).toMatchObject({
      status: 400,
      body: { error: { details: [{ field: 'pinned_version' }] } },
    });
    expect(await pin('nobody', 1)).toMatchObject({ status: 404 });
    const elsewhere = '/v1/agent/0190b5a2-0000-7000-8000-000000000000';
    expect(await roost.api('POST', `${elsewhere}/messages`, { content: 'x', version: 1 })).toMatchObject({
      status: 404,
    });
  });
});
