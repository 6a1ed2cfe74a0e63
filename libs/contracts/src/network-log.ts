import { z } from 'zod';
import { request } from './request.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';

/** One request of an agent to the outside: as the egress proxy logs it. `host` is a name, never an address of ours. */
export const NetworkLogEntry = wire({
  at: Timestamp,
  method: z.string(),
  host: z.string(),
  port: Count,
  verdict: z.enum(['allowed', 'refused', 'failed']),
  reason: z.string().nullable(),
  bytesSent: Count,
  bytesReceived: Count,
  durationMs: Count,
});

/** The latest requests, newest first. Errors: NOT_FOUND. */
export const getNetworkLog = request('lifecycle.network.log', {
  input: wire({ agentId: AgentId, limit: z.number().int().min(1).max(1_000).default(100) }),
  output: wire({ entries: z.array(NetworkLogEntry) }),
});
