import { z } from 'zod';
import { request } from './request.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';

/** One request of an agent to the outside: as the egress proxy logs it. `host` is a name, never an address of ours. */
export const NetworkLogEntry = wire({
  at: Timestamp.describe('When it began.'),
  method: z.string().describe('The HTTP method; `CONNECT` for HTTPS.'),
  host: z.string().describe('The host that was asked for.'),
  port: Count.describe('The port.'),
  verdict: z
    .enum(['allowed', 'refused', 'failed'])
    .describe('Let through; refused by the agent’s `network` or the address guard; or let through and failed.'),
  reason: z.string().nullable().describe('Why it was refused or failed; null otherwise.'),
  bytesSent: Count.describe('Bytes from the agent.'),
  bytesReceived: Count.describe('Bytes to the agent.'),
  durationMs: Count.describe('How long it was open, in milliseconds.'),
}).meta({ id: 'NetworkLogEntry', description: 'A request of an agent to the outside.' });

/** The latest requests, newest first. Errors: NOT_FOUND. */
export const getNetworkLog = request('lifecycle.network.log', {
  input: wire({ agentId: AgentId, limit: z.number().int().min(1).max(1_000).default(100) }),
  output: wire({ entries: z.array(NetworkLogEntry).describe('Newest first.') }),
});
