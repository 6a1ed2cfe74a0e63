import { z } from 'zod';
import { request } from './request.js';
import { AgentId, wire } from './wire.js';

/**
 * Signals over core NATS: at most once, never the truth. Losing every one of them loses no work;
 * durable events and polls repair the gaps.
 */

/** Wakes one idle worker of the runtime's queue group; sent right after a message was committed. */
export const WAKE_RUNTIME = 'wake.runtime';

/** Hint to the worker that runs a turn of this agent: stop it. */
export const interruptSubject = (agentId: string) => `interrupt.${agentId}`;

/** Hint that an agent's events hold one more that is not published. */
export const recordedSubject = (agentId: string) => `recorded.${agentId}`;

/** What happens inside a running turn, as it happens. */
export const liveSubject = (agentId: string) => `live.${agentId}`;

/** `seq` counts the deltas of a turn from 0, so that a reader sees gaps and doubles. */
export const LiveEvent = wire({
  type: z.enum(['text.delta', 'tool.call', 'tool.result', 'turn.restarted']),
  agentId: AgentId,
  turnId: z.uuid().describe('The turn’s id (outside: the run’s).'),
  messageId: z.string().describe('The last of the messages that the turn answers.'),
  seq: z.number().int().min(0).describe('Counts these events of a turn from 0, so that a gap or a double shows.'),
  text: z.string().optional(),
  tool: wire({
    callId: z.string().describe('The id of the call: the same in its `tool.call` and `tool.result`.'),
    name: z.string().describe('The tool’s name; of an MCP server `server__tool`.'),
    input: z.json().optional().describe('The arguments that the model gave.'),
    output: z.string().optional().describe('What the tool returned: its first 10,000 characters.'),
    isError: z.boolean().optional().describe('Whether it failed.'),
  }).optional(),
});
export type LiveEvent = z.output<typeof LiveEvent>;

/**
 * What a running turn has sent so far, for a reader that comes late: the events after `afterSeq`, adjacent texts
 * as one with the last one's `seq`. Served by the worker that runs the turn.
 * Errors: SERVICE_UNAVAILABLE (nobody there) when no turn of the agent runs.
 */
export const replayLive = request('live.{agentId}.replay', {
  input: wire({ agentId: AgentId, turnId: z.uuid().optional(), afterSeq: z.number().int().min(-1).default(-1) }),
  output: wire({ events: z.array(LiveEvent) }),
  timeoutMs: 2_000,
});
