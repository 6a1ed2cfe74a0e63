import { spawnRoost, temporaryFolder } from '#lib/testing';
import { describe, expect, it } from 'vitest';

describe('kill -9 of the platform', () => {
  it('loses no message and answers it once after the restart', async () => {
    const dataDir = temporaryFolder();
    let roost = await spawnRoost({ dataDir });
    const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' });
    const messages = `/v1/agent/${agent.body.id}/messages`;
    const sent = await roost.api<{ id: string }>('POST', messages, { content: 'run: sleep 3; echo done' });
    expect(sent.status).toBe(201);
    await roost.kill();

    roost = await spawnRoost({ dataDir });
    try {
      const answer = await roost.api<{ replies: { content: string }[] }>('GET', `${messages}/${sent.body.id}?wait=60`);
      expect(answer.body.replies).toHaveLength(1);
      const list = await roost.api<{ messages: { role: string }[] }>('GET', messages);
      expect(list.body.messages.map((message) => message.role)).toEqual(['user', 'assistant']);
    } finally {
      await roost.stop();
    }
  }, 120_000);
});
