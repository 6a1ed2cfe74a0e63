import type { WaitingFor } from '@roost-ai/sdk';
import { clean, inLine } from '../output/clean.js';
import { ago } from '../output/table.js';

/** What a message waits for and what to do about it, in a line; undefined of what ends by itself in a moment. */
export function wordsOf({ reason, error, next_attempt_at: at }: WaitingFor, agent: string): string | undefined {
  const name = /^[\w-]+$/.test(agent) ? agent : `"${clean(agent)}"`;
  const when = at === null ? '' : ` ${ago(at)}`;
  switch (reason) {
    case 'slot':
      return undefined;
    case 'paused':
      return `Waiting: the agent is paused. It goes on after: roost agents resume ${name}`;
    case 'stopped':
    case 'error':
      return `Waiting: the agent is ${reason === 'error' ? 'in error' : 'stopped'}. Start it with: roost agents start ${name}`;
    case 'balance':
      return 'Waiting: the agent has no output tokens left. Add some to its balance (POST /v1/agent/{id}/balance).';
    case 'budget':
      return `Waiting: a budget is exhausted${at === null ? '' : `; its next period begins${when}`}. See: roost budgets list`;
    case 'approval':
      return 'Waiting: a person decides about a call of a tool, or answers a question. See: roost approvals list';
    case 'retry':
      return `Waiting: the last try failed${error ? ` (${inLine(error.message, 300)})` : ''}; the next begins${when}.`;
    case 'turn':
      return 'Waiting: another turn of the agent runs.';
    default:
      return `Waiting: ${inLine(String(reason))}.`;
  }
}
