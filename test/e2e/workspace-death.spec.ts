import { startRoost, until, type TestRoost } from '#lib/testing';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';

interface Answer {
  message: { status: string; error: unknown };
  replies: { content: string }[];
}

let roost: TestRoost;
beforeAll(async () => {
  roost = await startRoost();
});
afterAll(async () => roost.stop());

it('fails a command within seconds when its workspace is killed right after it began, and the agent goes on', async () => {
  const { id } = (await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'mortal' })).body;
  const say = async (content: string) =>
    (await roost.api<{ id: string }>('POST', `/v1/agent/${id}/messages`, { content })).body.id;
  const answer = async (message: string) =>
    (await roost.api<Answer>('GET', `/v1/agent/${id}/messages/${message}?wait=60`)).body;

  const first = await say('run: touch begun; sleep 100');
  await until('the command runs', async () => {
    const found = await roost.api('GET', `/v1/agent/${id}/filesystem/metadata/begun`);
    return found.status === 200;
  });
  const killedAt = performance.now();
  for (const pid of sandboxProcesses(id)) process.kill(pid, 'SIGKILL');

  const { message, replies } = await answer(first);
  // The promise is 10 s on a machine that has time; what it replaces is the command's own timeout of 135 s.
  expect(performance.now() - killedAt).toBeLessThan(45_000);
  expect(message).toMatchObject({ status: 'read', error: null });
  expect(replies.map(({ content }) => content).join()).toContain('the workspace ended');
  expect((await answer(await say('run: echo alive again'))).replies[0]?.content).toContain('alive again');
});

/** The host's processes that hold an agent's sandbox: their arguments name its volume. */
function sandboxProcesses(agentId: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return program.endsWith('bwrap') && args.some((arg) => arg.includes(agentId));
      } catch {
        return false; // it ended meanwhile
      }
    })
    .map(Number);
}
