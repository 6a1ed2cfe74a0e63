import type { AgentStatus } from '#lib/contracts';
import { AGENT_STATUSES } from '#lib/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, ACTIONS, nextStatus } from './transitions.js';

const SEQUENCES = 10_000;

/** spec: 00-overview, "Transitions", as rules instead of as a table. */
function expected(from: AgentStatus, action: Action): AgentStatus | 'refused' {
  if (action.startsWith('set-')) return action.slice(4) as AgentStatus;
  if (action === 'pause') return from === 'active' ? 'paused' : 'refused';
  if (action === 'resume') return from === 'paused' || from === 'error' ? 'active' : 'refused';
  if (action === 'stop') return from === 'active' || from === 'paused' ? 'stopped' : 'refused';
  return from === 'stopped' ? 'stopped' : 'error';
}

describe('the state machine', () => {
  it(`follows the rules through ${SEQUENCES} random sequences of actions`, () => {
    let steps = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...AGENT_STATUSES),
        fc.array(fc.constantFrom(...ACTIONS), { minLength: 1, maxLength: 40 }),
        (start, actions) => {
          let status = start;
          for (const action of actions) {
            steps += 1;
            const wanted = expected(status, action);
            if (wanted === 'refused') {
              expect(() => nextStatus(status, action)).toThrow(expect.objectContaining({ code: 'VALIDATION_ERROR' }));
            } else {
              status = nextStatus(status, action);
              expect(status).toBe(wanted);
            }
          }
        },
      ),
      { numRuns: SEQUENCES },
    );
    expect(steps).toBeGreaterThan(SEQUENCES);
  });
});
