import { z } from 'zod';
import { request } from './request.js';
import { AgentId, Count, wire } from './wire.js';

/**
 * Long-lived processes in a workspace that somebody talks to over their standard input and output: stdio MCP
 * servers. One that nobody reads from for two minutes is ended, so that a lost caller leaves nothing behind.
 */
const ProcessId = z.string().min(1).max(100);

/** Errors: CONFLICT (the id is in use), RATE_LIMITED (too many run). A program that is not there shows as one that has ended. */
export const startProcess = request('workspace.{agentId}.process.start', {
  input: wire({
    agentId: AgentId,
    processId: ProcessId,
    command: z.string().min(1).max(4_096),
    args: z.array(z.string().max(4_096)).max(100).default([]),
    env: z.record(z.string(), z.string()).default({}),
  }),
  output: wire({ started: z.boolean() }),
  timeoutMs: 10_000,
});

/** Bytes for its standard input. `at` counts the bytes written before these: a repeated write is not done twice. Errors: NOT_FOUND. */
export const writeProcess = request('workspace.{agentId}.process.write', {
  input: wire({ agentId: AgentId, processId: ProcessId, at: Count, data: z.string() }),
  output: wire({ written: Count }),
  timeoutMs: 30_000,
});

/** Bytes of its standard output from `from` on, at most 256 KiB; waits up to 20 s for some. What is before `from` is discarded. Errors: NOT_FOUND. */
export const readProcess = request('workspace.{agentId}.process.read', {
  input: wire({ agentId: AgentId, processId: ProcessId, from: Count }),
  output: wire({
    data: z.string(),
    hasEnded: z.boolean(),
    exitCode: z.number().int().nullable(),
    stderrTail: z.string(),
  }),
  timeoutMs: 30_000,
});

/** Ends the process and all that it started; returns the end of its stderr. Idempotent. */
export const stopProcess = request('workspace.{agentId}.process.stop', {
  input: wire({ agentId: AgentId, processId: ProcessId }),
  output: wire({ stopped: z.boolean(), stderrTail: z.string().default('') }),
});
