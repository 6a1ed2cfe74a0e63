import { type CallContext, ownCall } from '#lib/call-context';
import { callHash, canonicalJson } from '#lib/canonical-json';
import { answerApproval, decideApproval, listAgentEvents, type SuspendedCall, suspendTurn } from '#lib/contracts';
import { newId } from '#lib/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceOf, type MessagingFixture, messagingFixture } from '../../test/messaging-fixture.js';

describe('questions to people', () => {
  let fixture: MessagingFixture;
  beforeAll(async () => {
    fixture = await messagingFixture();
  });
  afterAll(() => fixture.stop());

  const asked = (tool: string, args: object): SuspendedCall => ({
    ...{ approvalId: newId(), toolCallId: newId(), tool, rule: null },
    kind: tool === 'ask_human' ? 'question' : 'tool',
    arguments: canonicalJson(args),
    hash: callHash(tool, args),
  });
  const question = (args: object) => asked('ask_human', args);
  const by = (type: 'user' | 'person', id: string): CallContext => ({ ...fixture.account(), actor: { type, id } });
  const decide = (approvalId: string, more: object = { decision: 'allow_once' }) =>
    fixture.bus.request(decideApproval, { approvalId, ...more } as never, by('user', 'ada'));
  /** An agent with a message whose turn waits for the call. */
  async function suspended([call]: [SuspendedCall], more: object = {}) {
    const agentId = await fixture.agent();
    await fixture.send(agentId, 'go');
    const common = { approvers: null, expiresAfterSeconds: 3_600, partialReply: '' };
    const input = { ...fenceOf(await fixture.claim()), calls: [call], ...common, ...more };
    await fixture.bus.request(suspendTurn, input, ownCall('w'));
    return { agentId, first: call.approvalId };
  }
  const typesOf = async (agentId: string) => {
    const query = { agentId, fromStart: true, limit: 100 };
    const { events } = await fixture.bus.request(listAgentEvents, query, fixture.account());
    return events.map(({ subject }) => subject.replace('events.messaging.', ''));
  };
  const fields = { seats: { type: 'integer', minimum: 1 }, seat: { type: 'string', enum: ['window', 'aisle'] } };
  const schema = { type: 'object', properties: fields, required: ['seats'] };
  const answer = (approvalId: string, given: object, context = by('user', 'ada')) =>
    fixture.bus.request(answerApproval, { approvalId, ...given } as never, context);

  it('are answered once, by what was asked for, and the answer goes to whoever claims the run next', async () => {
    const { first, agentId } = await suspended([question({ question: 'How many?', schema })]);
    for (const [given, field] of [
      [{ answer: 'two' }, 'answer'],
      [{ answer: { seats: 0 } }, 'answer.seats'],
      [{ answer: { seats: 1, seat: 'floor' } }, 'answer.seat'],
      [{ answer: { seats: 1, more: true } }, 'answer.more'],
      [{}, 'answer'],
    ] as const)
      await expect(answer(first, given)).rejects.toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field }] });
    await expect(decide(first)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(answer(first, { text: 'seats: 2\nseat: aisle' })).resolves.toMatchObject({
      status: 'answered',
      question: { question: 'How many?', schema },
      answer: { seats: 2, seat: 'aisle' },
      decidedBy: { type: 'user', id: 'ada' },
    });
    await expect(answer(first, { answer: { seats: 3 } })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: [{ reason: 'already_decided', status: 'answered' }],
    });
    const { approvals } = await fixture.claim();
    expect(approvals).toMatchObject([{ status: 'answered', answer: '{"seats":2,"seat":"aisle"}' }]);
    const types = (await typesOf(agentId)).filter((type) => type.startsWith('approval.'));
    expect(types).toEqual(['approval.requested', 'approval.decided']);
  });

  it('may be denied, and are no calls that could be answered', async () => {
    const { first } = await suspended([question({ question: 'Why?' })]);
    await expect(decide(first, { decision: 'deny', message: 'ask Bob' })).resolves.toMatchObject({
      status: 'denied',
    });
    const { first: ofTool } = await suspended([asked('bash', { command: 'ls' })]);
    await expect(answer(ofTool, { answer: 'yes' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it('are answered by approvers alone, and keep what no text of PostgreSQL holds out', async () => {
    const more = { approvers: ['telegram:7'] };
    const { first } = await suspended([question({ question: 'Why?' })], more);
    await expect(answer(first, { answer: 'no' }, by('person', 'telegram:8'))).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
    await expect(answer(first, { answer: 'so\u0000 what' }, by('person', 'telegram:7'))).resolves.toMatchObject({
      answer: 'so what',
    });
  });
});
