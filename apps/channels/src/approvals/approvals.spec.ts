import { type Approval, getChannelStatus, MAX_APPROVAL_BYTES, type Question } from '#lib/contracts';
import { until } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApprovalsDouble } from '../../test/approvals-double.js';
import { ChannelsFixture } from '../../test/channels-fixture.js';
import {
  discordDouble,
  type DoubleThread,
  type PlatformDouble,
  slackDouble,
  telegramDouble,
} from '../../test/doubles/index.js';
import { shortId } from './card-text.js';

const [ANN, BOB, EVE] = [7, 8, 9];

describe.each([
  ['discord', discordDouble],
  ['slack', slackDouble],
  ['telegram', telegramDouble],
] as const)('what an agent may not do unasked, on %s', (platform, open) => {
  let double: PlatformDouble;
  let fixture: ChannelsFixture;
  let approvals: ApprovalsDouble;
  let conversationId: string;
  const ids = new Map<number, string>();

  beforeAll(async () => {
    double = await open();
    fixture = await ChannelsFixture.open(double.variables, double.bot);
    approvals = new ApprovalsDouble(fixture);
    await fixture.startReplica();
    await until('the bot is connected', async () => {
      const about = { agentId: fixture.agentId, platform };
      return (await fixture.request(getChannelStatus, about).catch(() => undefined))?.health === 'connected';
    });
    for (const person of [BOB, ANN]) {
      await double.say(person, `/link ${await fixture.code(platform)}`);
      await until('linked', () => double.shown(person).some((text) => text.includes('You are talking to')));
      await double.say(person, `hello from ${person}`);
      const sent = await fixture.queued(`hello from ${person}`);
      ids.set(person, sent.counterparty?.id ?? '');
      if (person === ANN) conversationId = sent.conversationId;
    }
  });
  afterAll(async () => {
    await fixture.close();
    await double.stop();
  });

  const cardOf = (person: number, id: string) => {
    const card = double.lastCard(person);
    return card?.text.includes(shortId(id)) && Object.keys(card.buttons).length === 3 ? card : undefined;
  };
  const shownTo = (person: number, id: string) => until('the question is shown', () => cardOf(person, id));
  const endsWith = (person: number, text: string) =>
    until(`it says ${text}`, () => {
      const card = double.lastCard(person);
      return card?.text.includes(text) && Object.keys(card.buttons).length === 0 ? card : undefined;
    });
  const pressed = (card: { buttons: Record<string, string> }, label: string) => card.buttons[label] ?? '';

  it('is asked with tool and every argument, decided by a button, and shown as decided', async () => {
    const asked = await approvals.request(conversationId, { command: 'rm -r notes', timeout_seconds: 5 });
    const card = await shownTo(ANN, asked.id);
    for (const part of ['Robin asks', 'tool: bash', '"command": "rm -r notes"', '"timeout_seconds": 5', 'Until 20'])
      expect(card.text).toContain(part);
    await until('it says where', () => approvals.find(asked.id).shown.length === 1);
    expect(approvals.find(asked.id).shown[0]?.where).toBe(conversationId);
    const press = await double.press(ANN, pressed(card, 'Allow once'));
    await endsWith(ANN, 'allowed once by person');
    expect(approvals.find(asked.id)).toMatchObject({
      status: 'allowed',
      decision: 'allow_once',
      decidedBy: { type: 'person', id: `${platform}:${ids.get(ANN)}` },
    });
    await until('the presser is answered', () => press.answers().some((text) => text.includes('allowed once')));
  });

  it('counts the first press alone, also when it comes twice or from a card that is over', async () => {
    const asked = await approvals.request(conversationId, { command: 'ls' });
    const card = await shownTo(ANN, asked.id);
    const press = await double.press(ANN, pressed(card, 'Deny'));
    await press.again();
    await endsWith(ANN, 'denied by person');
    const late = await double.press(ANN, pressed(card, 'Always allow'));
    await until('it says so', () => late.answers().some((text) => text.includes('over: denied')));
    expect(approvals.find(asked.id)).toMatchObject({ status: 'denied', decision: 'deny' });
  });

  it('does not count presses of others: people who are not linked, and those who are not named', async () => {
    const named = [`${platform}:${ids.get(BOB)}`, `${platform}:${ids.get(ANN)}`];
    const asked = await approvals.request(conversationId, { command: 'ls' }, { approvers: [named[1] ?? ''] });
    const card = await shownTo(ANN, asked.id);
    const stranger = await double.press(ANN, pressed(card, 'Allow once'), EVE);
    await until('refused', () => stranger.answers().some((text) => text.includes('linked with the agent')));
    const other = await double.press(ANN, pressed(card, 'Allow once'), BOB);
    await until('refused', () => other.answers().some((text) => text.includes('not one of the people')));
    expect(approvals.find(asked.id).status).toBe('pending');
    await double.press(ANN, pressed(card, 'Always allow'));
    await endsWith(ANN, 'always allowed by');
  });

  it('is noted as shown whatever is wrong with another one', async () => {
    const broken = await approvals.request(conversationId, { command: 'broken' });
    approvals.broken.add(broken.id);
    await shownTo(ANN, broken.id);
    const asked = await approvals.request(conversationId, { command: 'whole' });
    await shownTo(ANN, asked.id);
    await until('it says where', () => approvals.find(asked.id).shown.length === 1);
    approvals.broken.delete(broken.id);
    await until('the other one, too', () => approvals.find(broken.id).shown.length === 1);
    for (const { id } of [asked, broken]) await approvals.end(id, { status: 'expired' });
    await endsWith(ANN, 'nobody decided in time');
  });

  it('is asked again when it is not known whether it was shown', async () => {
    double.failNextSend();
    const asked = await approvals.request(conversationId, { command: 'unsure' });
    const card = await shownTo(ANN, asked.id);
    await double.press(ANN, pressed(card, 'Deny'));
    await endsWith(ANN, 'denied by person');
  });

  it('is decided by commands, too', async () => {
    const first = await approvals.request(conversationId, { command: 'a' });
    await shownTo(ANN, first.id);
    await double.say(ANN, '/deny not now, please');
    // The question, and the answer to the command.
    await until('it is shown', () => double.shown(ANN).some((text) => text.includes('not now, please')));
    expect(approvals.find(first.id)).toMatchObject({ status: 'denied', message: 'not now, please' });
    const [second, third] = [
      await approvals.request(conversationId, { command: 'b' }),
      await approvals.request(conversationId, { command: 'c' }),
    ];
    await shownTo(ANN, third.id);
    await double.say(ANN, '/approve');
    await until('asked which', () => double.shown(ANN).some((text) => double.visible(text).includes('Which one?')));
    await double.say(ANN, `/approve ${shortId(second.id)}`);
    await until('decided', () => approvals.find(second.id).status === 'allowed');
    await double.say(ANN, `/deny ${third.id} no`);
    await until('decided', () => approvals.find(third.id).status === 'denied');
    const isOpen = (text: string) => text.includes(shortId(third.id)) && text.includes('Buttons');
    await until('its question is over', () => !double.shown(ANN).some(isOpen));
    await double.say(ANN, '/approve');
    await until('nothing left', () => double.shown(ANN).some((text) => text.includes('Nothing is asked here')));
  });

  it('hides nothing: line ends, marks that turn text, what ends a block of code, what looks like another argument', async () => {
    const command = 'ls\n"path": "fine"\u202e\u200b```\u0007<b>&';
    const asked = await approvals.request(conversationId, { command });
    const card = await shownTo(ANN, asked.id);
    const line = card.text.split('\n').find((text) => text.startsWith('"command"'));
    expect(line).toContain('ls\\n\\"path\\": \\"fine\\"\\u202e\\u200b\\u0060\\u0060\\u0060\\u0007<b>&');
    await approvals.end(asked.id, { status: 'expired' });
    await endsWith(ANN, 'nobody decided in time');
  });

  it('shows arguments whole, as long as they may be, as a file before the question', async () => {
    const command = `echo start\n${'x'.repeat(MAX_APPROVAL_BYTES - 100)}\u202eend`;
    const asked = await approvals.request(conversationId, { command });
    const card = await shownTo(ANN, asked.id);
    expect(card.text).toContain('all in the file above');
    const file = double.files(ANN).at(-1);
    expect(file?.name).toBe('arguments.txt');
    expect(JSON.parse(`{${file?.text}}`)).toEqual({ command });
    expect(file?.text).not.toContain('\u202e');
    await approvals.end(asked.id, { status: 'cancelled' });
    await endsWith(ANN, 'cancelled');
  });

  it('is asked where somebody may decide: not in the chat of who may not', async () => {
    const asked = await approvals.request(
      conversationId,
      { command: 'ls' },
      { approvers: [`${platform}:${ids.get(BOB)}`] },
    );
    const card = await shownTo(BOB, asked.id);
    expect(cardOf(ANN, asked.id)).toBeUndefined();
    await double.press(BOB, pressed(card, 'Allow once'));
    await endsWith(BOB, 'allowed once');
  });

  it('is asked of a schedule in a chat, and of the API in none', async () => {
    const byApi = await approvals.request('default', { command: 'quiet' }, { source: 'api' });
    const asked = await approvals.request('schedule:1', { command: 'daily' }, { source: 'schedule' });
    const card = await shownTo(ANN, asked.id);
    expect(approvals.find(byApi.id).shown).toEqual([]);
    await double.press(ANN, pressed(card, 'Deny'));
    await endsWith(ANN, 'denied');
  });

  it('is asked at the next place when the bot of one is there no more', async () => {
    await fixture.rows.query(
      `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, place) VALUES ($1, $2, $3, $4, 'gone', '7', '7')`,
      [randomUUID(), fixture.accountId, fixture.agentId, platform],
    );
    const asked = await approvals.request('schedule:1', { command: 'daily' }, { source: 'schedule' });
    const card = await shownTo(ANN, asked.id);
    await fixture.rows.query(`DELETE FROM bindings WHERE bot_id = 'gone'`);
    await double.press(ANN, pressed(card, 'Deny'));
    await endsWith(ANN, 'denied');
  });

  it('is asked at the next place when one cannot show it, and says where', async () => {
    const unblock = double.block(ANN);
    const asked = await approvals.request(conversationId, { command: 'ls' });
    const card = await shownTo(BOB, asked.id);
    await until('it says where', () => approvals.find(asked.id).shown.length === 1);
    expect(approvals.find(asked.id).shown[0]?.where).not.toBe(conversationId);
    unblock();
    await double.press(BOB, pressed(card, 'Allow once'));
    await endsWith(BOB, 'allowed once');
  });

  it('may be a request with a secret: shown whole, and decided like a call', async () => {
    const request = { host: 'api.example.com', method: 'POST', path: '/repos?\u202ex=`', secret: 'github' };
    const more = { kind: 'credential', tool: 'vault:github', runId: null, turnId: null, toolCallId: null } as const;
    const asked = await approvals.request(conversationId, request, { ...more, grantId: randomUUID(), rule: null });
    const card = await until('it is asked', () => {
      const last = double.lastCard(ANN);
      return last?.text.includes(shortId(asked.id)) ? last : undefined;
    });
    const lines = [
      'may this request carry a secret',
      '"host": "api.example.com"',
      '"method": "POST"',
      '"secret": "github"',
    ];
    for (const part of [...lines, '"path": "/repos?\\u202ex=\\u0060"']) expect(card.text).toContain(part);
    await double.press(ANN, pressed(card, 'Allow once'));
    await endsWith(ANN, 'allowed once by person');
    expect(approvals.find(asked.id)).toMatchObject({ status: 'allowed', decision: 'allow_once' });
  });

  it('may be a question: answered by a button, plain words or a command, and shown with its answer', async () => {
    const choices = ['red', 'the blue\u202e one'];
    const asked = await approvals.question(conversationId, { question: 'Which?\n\n\n\n```now', choices });
    const card = await until('it is asked', () => {
      const last = double.lastCard(ANN);
      return last?.text.includes(shortId(asked.id)) ? last : undefined;
    });
    for (const part of ['Robin asks you', 'Which?', '\\u0060\\u0060\\u0060now', '2. the blue\\u202e one'])
      expect(card.text).toContain(part);
    expect(Object.keys(card.buttons)).toEqual(['1. red', '2. the blue\\u202e one', 'Do not answer']);
    await double.press(ANN, pressed(card, '2. the blue\\u202e one'));
    await endsWith(ANN, 'answered by person');
    expect(approvals.find(asked.id)).toMatchObject({ status: 'answered', answer: choices[1] });

    const open = await approvals.question(conversationId, { question: 'Your name?' });
    await until('it is asked', () => double.lastCard(ANN)?.text.includes(shortId(open.id)));
    await double.say(ANN, 'Ann Example');
    const isShown = (part: string) => double.shown(ANN).some((text) => double.visible(text).includes(part));
    await until('its answer is shown', () => isShown('answer: "Ann Example"'));
    expect(approvals.find(open.id)).toMatchObject({ answer: 'Ann Example', decidedBy: { type: 'person' } });

    const properties = { seats: { type: 'integer' as const, minimum: 1 }, sure: { type: 'boolean' as const } };
    const schema = { type: 'object' as const, properties, required: ['seats'] };
    const form = await approvals.question(conversationId, { question: 'Seats?', schema }, { tool: 'mcp:air/book' });
    await until('it is asked', () => double.lastCard(ANN)?.text.includes('tool: mcp:air/book'));
    await double.say(ANN, `/answer ${shortId(form.id)} seats: 0`);
    await until('it is refused', () => double.shown(ANN).some((text) => text.includes('must be from 1')));
    // What answers nothing is for the agent.
    await double.say(ANN, 'what does it cost?');
    await fixture.queued('what does it cost?');
    await double.say(ANN, '/answer seats: 2\nsure: yes');
    await until('its answer is shown', () => isShown('"seats":2'));
    expect(approvals.find(form.id).answer).toEqual({ seats: 2, sure: true });
  });

  it('is answered once by words whose answer from messaging is lost, and they are no message besides', async () => {
    const asked = await approvals.question(conversationId, { question: 'Which city?' });
    await until('it is asked', () => double.lastCard(ANN)?.text.includes(shortId(asked.id)));
    approvals.unanswered.add(asked.id);
    await double.say(ANN, 'Lyon');
    await until('the person is answered', () =>
      double.shown(ANN).some((text) => text.includes('This is over: answer')),
    );
    expect(approvals.find(asked.id)).toMatchObject({ status: 'answered', answer: 'Lyon' });
    expect(fixture.sent.filter(({ content }) => content === 'Lyon')).toEqual([]);
  });

  it('may be a page to open, that only the people who may decide can answer', async () => {
    const url = 'https://bank.example/pay?x=(1)';
    const approvers = [`${platform}:${ids.get(ANN)}`];
    const asked = await approvals.question(conversationId, { question: 'Pay first.', url }, { approvers });
    const card = await until('it is asked', () => {
      const last = double.lastCard(ANN);
      return last?.text.includes(shortId(asked.id)) ? last : undefined;
    });
    expect(card.text).toContain('https://bank.example/pay?x=%281%29');
    const other = await double.press(ANN, pressed(card, 'I have opened it'), BOB);
    await until('refused', () => other.answers().some((text) => text.includes('not one of the people')));
    await double.press(ANN, pressed(card, 'I have opened it'));
    await endsWith(ANN, 'answered by person');
    expect(approvals.find(asked.id).answer).toBe(true);
  });

  describe('in a group', () => {
    const mark = platform === 'slack' ? '!' : '/';
    let group: DoubleThread;
    let there: string;

    beforeAll(async () => {
      group = await double.thread(ANN, 'ask me here');
      there = (await fixture.queued('ask me here')).conversationId;
    });

    const askedThere = async (question: Question, more: Partial<Approval> = {}) => {
      const asked = await approvals.question(there, question, more);
      return shownThere(asked);
    };
    const shownThere = async ({ id }: Approval) => {
      const card = await until('it is asked there', () => group.cards().find(({ text }) => text.includes(shortId(id))));
      await until('it is known to be shown', () => approvals.find(id).shown.length === 1);
      return { id, short: shortId(id), text: card.text };
    };
    const answered = (id: string) =>
      until('it is answered', () => approvals.find(id).status !== 'pending' && approvals.find(id).answer);

    it('is answered as its card says, and not by what people say among themselves', async () => {
      const asked = await askedThere({ question: 'Which colour?' });
      expect(asked.text).toContain(platform === 'slack' ? 'Mention me here with' : 'Reply to this message with');
      expect(asked.text).toContain(`${mark}answer ${asked.short} your answer`);
      await group.say(ANN, 'where shall we have lunch?');
      await group.answer(ANN, 'blue');
      expect(await answered(asked.id)).toBe('blue');

      const typed = await askedThere({ question: 'Which size?' });
      await group.say(ANN, `/answer ${typed.short} large`);
      expect(await answered(typed.id)).toBe('large');

      const alone = await askedThere({ question: 'Which shape?' });
      await group.say(ANN, '/answer round');
      expect(await answered(alone.id)).toBe('round');
      const said = fixture.sent.map(({ content }) => content);
      for (const text of ['lunch', 'blue', 'large', 'round']) expect(said.join('\n')).not.toContain(text);
    });

    it.skipIf(platform === 'slack')('takes a reply for the question that it replies to, of several', async () => {
      const first = await askedThere({ question: 'From where?' });
      const last = await askedThere({ question: 'How many?', choices: ['one', 'two'] });
      await group.answer(ANN, 'none at all');
      await until('it says what is wrong', () =>
        group.cards().some(({ text }) => text.includes('must be one of: one')),
      );
      expect(approvals.find(first.id).status).toBe('pending');
      await group.say(ANN, `/answer ${first.short} Lyon`);
      expect(await answered(first.id)).toBe('Lyon');
      await group.say(ANN, `/answer ${last.short} 2`);
      expect(await answered(last.id)).toBe('two');
    });

    it('takes no unaddressed command that does not name what is asked there, and none of who may not decide', async () => {
      const approvers = [`${platform}:${ids.get(ANN)}`];
      const asked = await shownThere(await approvals.request(there, { command: 'ls' }, { approvers }));
      for (const command of [`${mark}approve ${asked.short}`, `${mark}deny ${asked.short} reason`])
        expect(asked.text).toContain(command);
      const elsewhere = await approvals.request(conversationId, { command: 'pwd' });
      await shownTo(ANN, elsewhere.id);
      const { length } = group.cards();
      for (const text of ['/approve', '/deny no', '/approve 0a0b0c0d', `/approve ${shortId(elsewhere.id)}`, '/stop'])
        await group.say(ANN, text);
      await group.say(BOB, `/approve ${asked.short}`);
      await group.say(EVE, `/deny ${asked.short}`);
      await group.say(ANN, `/approve ${asked.short}`);
      await until('decided', () => approvals.find(asked.id).status === 'allowed');
      await until('she is told', () => group.cards().at(-1)?.text.includes('Done: allowed once'));
      expect(group.cards()).toHaveLength(length + 1);
      expect(approvals.find(elsewhere.id).status).toBe('pending');
      await approvals.end(elsewhere.id, { status: 'cancelled' });
      await endsWith(ANN, 'cancelled');
    });
  });

  it('is shown as decided when it was decided before it could be shown', async () => {
    const asked = await approvals.request(conversationId, { command: 'quick' });
    await approvals.end(asked.id, {
      status: 'allowed',
      decision: 'allow_once',
      decidedBy: { type: 'api_key', id: 'k' },
    });
    await endsWith(ANN, 'allowed once by api_key k');
  });
});
