import { describe, expect, it } from 'vitest';
import { planFaults } from './fault-plan.js';
import { judge } from './ledger.js';
import { randomFrom } from './random.js';
import { runChaos } from './run-chaos.js';
import { answeredIn, marksIn } from './stand-in-model.js';

describe('chaos', () => {
  it('plans the same faults for the same seed, each target about equally often', () => {
    const options = { kills: 63, freezes: 6, wipes: 2, durationMs: 120_000 };
    const plan = planFaults(randomFrom(7), options);
    expect(planFaults(randomFrom(7), options)).toEqual(plan);
    expect(planFaults(randomFrom(8), options)).not.toEqual(plan);
    expect(plan).toHaveLength(71);
    expect(plan.filter(({ kind, target }) => kind === 'kill' && target === 'postgres')).toHaveLength(7);
  });

  it('sees what is lost, doubled, late and out of order', () => {
    const entry = (n: number) => ({
      n,
      id: `m${n}`,
      agentId: 'a',
      conversationId: 'c',
      tries: 1,
      acceptedAt: 0,
      answeredAt: 10,
      answeredBy: new Set(['t']),
      createdBy: new Set(['e']),
    });
    const message = (role: 'user' | 'assistant', content: string) => ({
      id: content,
      role,
      content,
      conversation_id: 'c',
    });
    const list = [
      message('user', '<<1>>'),
      message('user', '<<0>>'),
      message('assistant', 'I have answered 0.'),
      message('assistant', 'I have answered 0.'),
    ];
    const entries = [entry(0), entry(1), { ...entry(2), acceptedAt: -70_000 }];
    const verdict = judge({
      entries,
      lists: new Map([['a', list]]),
      repeatedEvents: [],
      marksIn,
      answeredIn,
      stuckMs: 60_000,
      endedAt: 10,
    });
    expect(verdict).toMatchObject({ ok: 0, duplicate: 1, lost: 2, stuck: 1, misordered: 1 });
  });

  it.runIf(process.env.ROOST_FULL === '1')(
    'loses and doubles nothing while 8 processes are killed and one is frozen',
    async () => {
      const lines: string[] = [];
      const { verdict, faults, messages } = await runChaos({
        seed: 5,
        durationMs: 12_000,
        kills: 8,
        freezes: 1,
        wipes: 1,
        messagesPerSecond: 10,
        agents: 4,
        misbehaviourRate: 0.1,
        isFenced: true,
        log: (line) => lines.push(line),
      });
      expect(faults).toHaveLength(10);
      expect(messages).toBeGreaterThan(50);
      // On a busy machine services may take longer to start than what counts as stuck: that is not looked at here.
      const { lost, duplicate, failed, misordered, findings } = verdict;
      expect({
        lost,
        duplicate,
        failed,
        misordered,
        findings: findings.filter((finding) => !finding.includes('waited')),
      }).toEqual({
        lost: 0,
        duplicate: 0,
        failed: 0,
        misordered: 0,
        findings: [],
      });
    },
    300_000,
  );
});
