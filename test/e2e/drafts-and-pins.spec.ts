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

describe('drafts and pins', () => {
  let roost: TestRoost;
  let agent = '';
  beforeAll(async () => {
    roost = await startRoost();
    const { body } = await roost.api<Sent>('POST', '/v1/agent/create', {
      name: 'robin',
      configuration: { model: 'demo' },
    });
    agent = `/v1/agent/${body.id}`;
  });
  afterAll(() => roost?.stop());

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
