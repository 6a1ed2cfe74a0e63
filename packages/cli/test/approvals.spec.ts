import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { Roost } from '@roost-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardOf } from '../src/agents/approvals.js';
import { ApprovalQuestions } from '../src/agents/ask-approvals.js';
import { Output } from '../src/output/output.js';

describe('a person at the terminal', () => {
  let server: TestRoost;
  let roost: Roost;
  beforeAll(async () => {
    server = await startRoost();
    roost = new Roost({ url: server.url, apiKey: server.apiKey });
  });
  afterAll(() => server?.stop());

  /** An agent that asks, with a chat whose keyboard and screen are streams. */
  async function chat() {
    const configuration = { model: 'demo', permissions: { rules: [{ tool: 'bash', action: 'ask' as const }] } };
    const agent = await roost.agents.create({ name: 'a', configuration });
    const [keyboard, screen] = [new PassThrough(), new PassThrough()];
    let shown = '';
    screen.on('data', (chunk) => (shown += String(chunk)));
    const lines = createInterface({ input: keyboard, output: screen, terminal: true });
    const out = new Output(screen as never, screen as never, { NO_COLOR: '1' });
    const questions = new ApprovalQuestions(roost, out, lines);
    const say = async (content: string) => {
      for await (const event of agent.stream(content)) questions.on(event);
      questions.end();
    };
    return { agent, say, keyboard, shown: () => shown, close: () => lines.close() };
  }
  const decided = async (agentId: string) =>
    (await roost.approvals.list({ agent_id: agentId }).first()).map(({ status, message }) => [status, message]);

  it('is asked in the middle of a talk, sees every argument, and answers with a key or with the reason why not', async () => {
    const { agent, say, keyboard, shown, close } = await chat();
    const first = say('run: echo hello');
    await until('the question is there', () => shown().includes('Allow it?'));
    expect(shown()).toContain('"command": "echo hello"');
    keyboard.write('y\r');
    await first;
    const second = say('run: echo bye');
    await until('the second question is there', () => shown().split('Allow it?').length > 2);
    keyboard.write('not today\r');
    await second;
    expect(await decided(agent.id)).toEqual([
      ['denied', 'not today'],
      ['allowed', null],
    ]);
    close();
  });

  it('is asked no more when somebody else has decided', async () => {
    const { agent, say, shown, close } = await chat();
    const talk = say('run: echo elsewhere');
    await until('the question is there', () => shown().includes('Allow it?'));
    const [approval] = await roost.approvals.list({ status: 'pending', agent_id: agent.id }).first();
    await roost.approvals.decide(approval?.id ?? '', { decision: 'allow_once' });
    await talk;
    expect(shown()).toContain('allowed by api_key');
    close();
  });

  it('sees what an argument hides', async () => {
    const { agent, say, shown, close } = await chat();
    const talk = say('run: echo \u202Etxt.exe\u200B\u2028\u2800\u00A0 ok');
    await until('the question is there', () => shown().includes('Allow it?'));
    const [approval] = await roost.approvals.list({ status: 'pending', agent_id: agent.id }).first();
    const card = cardOf(await roost.approvals.get(approval?.id ?? ''));
    for (const written of ['\\u{202e}', '\\u{200b}', '\\u{2028}', '\\u{2800}', '\\u{a0}'])
      expect(card).toContain(written);
    expect(card).not.toMatch(/[\u202E\u200B\u2028\u2800\u00A0]/);
    const long = { command: `echo ok${'\n'.repeat(400)}${'x'.repeat(999_000)}\u202Eend` };
    const whole = cardOf({ ...(await roost.approvals.get(approval?.id ?? '')), arguments: JSON.stringify(long) });
    expect(whole).toContain(`"echo ok${'\\n'.repeat(400)}${'x'.repeat(999_000)}\\u{202e}end"`);
    await roost.approvals.decide(approval?.id ?? '', { decision: 'deny' });
    await talk;
    close();
  });
});
