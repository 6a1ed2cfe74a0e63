import { encodeUser, fmtCreds } from '@nats-io/jwt';
import { createUser, fromSeed } from '@nats-io/nkeys';
import { native } from './keys/index.js';

export interface WorkspaceCredentialsOptions {
  /** The server closes the connection when they expire; the driver must have made new ones by then. */
  ttlSeconds: number;
}

// A command may run for as long as a turn; the reply must still be allowed when it ends.
const replyWithinNanos = 60 * 60 * 1_000_000_000;

/** The daemon makes some thirty; each costs the server memory and time. */
const MAX_SUBSCRIPTIONS = 128;

/** The daemon's largest answers, a long listing among them, fit; the server ends a connection that sends more. */
const MAX_MESSAGE_BYTES = 8 * 2 ** 20;

/** The inbox prefix a workspace must connect with (`inboxPrefix` of the NATS client): nobody else can listen on it. */
export function workspaceInboxPrefix(agentId: string): string {
  return `_INBOX_ws_${tokenOf(agentId)}`;
}

/**
 * Credentials of one workspace, safe to hand into its sandbox.
 * May subscribe to `workspace.<agentId>.>` and to its own inbox, publish to `workspace.<agentId>.out.>`, and answer a
 * request it received: up to 64 messages to that request's reply subject within an hour.
 * Nothing else: no other agent, no service, no event, no JetStream, no other inbox.
 */
export async function workspaceCredentials(
  accountSeed: string,
  agentId: string,
  { ttlSeconds }: WorkspaceCredentialsOptions,
): Promise<string> {
  const own = `workspace.${tokenOf(agentId)}`;
  const user = native(createUser());
  const jwt = await encodeUser(
    own,
    user,
    native(fromSeed(new TextEncoder().encode(accountSeed.trim()))),
    {
      pub: { allow: [`${own}.out.>`] },
      sub: { allow: [`${own}.>`, `${workspaceInboxPrefix(agentId)}.>`] },
      resp: { max: 64, ttl: replyWithinNanos },
      subs: MAX_SUBSCRIPTIONS,
      payload: MAX_MESSAGE_BYTES,
      allowed_connection_types: ['STANDARD'],
    },
    { exp: Math.floor(Date.now() / 1000) + ttlSeconds },
  );
  return new TextDecoder().decode(fmtCreds(jwt, user));
}

/** An id with a dot or a wildcard would widen the permissions to other agents' subjects. */
function tokenOf(agentId: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(agentId)) throw new TypeError(`not an agent id: ${JSON.stringify(agentId)}`);
  return agentId;
}
