import type { Agent, IncomingMessage } from 'node:http';
import { hopByHop } from '../answers.js';
import { Refusal } from '../credentials/authorize.js';
import type { RequestHead } from '../credentials/request-head.js';
import { type Interception, pairsOf } from './interception.js';

export interface Http1Parts {
  interception: Interception;
  agent: Agent;
}

/** Errors: `Refusal`, for a request that names no single host or whose length is stated twice. */
export function headOf(request: IncomingMessage): RequestHead {
  const dropped = [...hopByHop, 'expect'];
  const named = (request.headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  // What Connection names is for this connection alone; that cannot be where the request goes or how long it is.
  if (named.some((name) => ['host', 'content-length', 'authorization'].includes(name)))
    throw new Refusal('The header Connection names one that belongs to the request.');
  const headers = pairsOf(request.rawHeaders).filter(([name]) => !dropped.includes(name) && !named.includes(name));
  return { method: request.method ?? '', path: request.url ?? '', headers };
}
