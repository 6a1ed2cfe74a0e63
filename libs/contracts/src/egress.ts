import { z } from 'zod';
import { NetworkLogEntry } from './network-log.js';

/** Stands for a credential in a sandbox; this and 32 characters of [A-Za-z0-9]. Worth nothing to who holds it. */
export const PLACEHOLDER_PREFIX = 'roost-placeholder-';
export const placeholderForm = /^roost-placeholder-[A-Za-z0-9]{32}$/;

/** What goes on a request in the place of a placeholder, or by host. */
export const EgressCredential = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('bearer'), token: z.string() }),
  z.object({ kind: z.literal('basic'), username: z.string(), password: z.string() }),
  z.object({ kind: z.literal('header'), name: z.string(), value: z.string() }),
  z.object({ kind: z.literal('query'), name: z.string(), value: z.string() }),
  z.object({
    kind: z.literal('aws_sigv4'),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string().optional(),
    region: z.string(),
    service: z.string(),
  }),
  /** A bearer token that the egress process asks for when it needs one (`oauth2`, `github_app`). */
  z.object({ kind: z.literal('dynamic') }),
]);
export type EgressCredential = z.output<typeof EgressCredential>;

/** A credential that the egress process puts on requests of one agent. */
export const EgressGrant = z.object({
  /** Of the grant, for uses, refusals and questions. */
  id: z.string(),
  /** The secret's name, as refusals and logs call it. */
  secret: z.string(),
  /** Without one the credential is put in by host. */
  placeholder: z.string().regex(placeholderForm).optional(),
  /** Exact or `*.` for one level, lower case and punycode, either with `:port`; without one, 443. */
  hosts: z.array(z.string()),
  /** Upper case; all where there are none. */
  methods: z.array(z.string()).optional(),
  pathPrefixes: z.array(z.string()).optional(),
  /** Where the placeholder is replaced; elsewhere it is refused. */
  placements: z.array(z.enum(['headers', 'query', 'body'])),
  /** Whether each request needs an approval. */
  asks: z.boolean(),
  credential: EgressCredential,
});
export type EgressGrant = z.output<typeof EgressGrant>;

/** What an agent may reach: its `configuration.network`. */
export const EgressPolicy = z.object({
  mode: z.enum(['public', 'allowlist', 'none']),
  /** For `allowlist`: `host`, `*.host`, either with `:port`. */
  allow: z.array(z.string()).optional(),
  /** Plain HTTP requests of a command that knows its trace carry it. */
  traceContext: z.boolean().optional(),
});
export type EgressPolicy = z.output<typeof EgressPolicy>;

/** The request for which a grant is wanted: `path` with its query, `host` with a port that is not 443. */
const EgressRequest = z.object({ method: z.string(), host: z.string(), path: z.string() });
export type EgressRequest = z.output<typeof EgressRequest>;

/** Whether a request may carry a credential whose grant asks. `reason` is read by the agent. */
export type EgressVerdict = { isAllowed: true } | { isAllowed: false; reason: string; waits?: boolean | undefined };

/** A use of a grant, or the reason why a request that named it was refused. `at` in milliseconds. */
const EgressUse = z.object({ grantId: z.string(), at: z.number(), refused: z.string().optional() });
export type EgressUse = z.output<typeof EgressUse>;

/** From agent-lifecycle to its egress process, over the channel between parent and child. */
export const ToEgress = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    /** Holds the agents' listeners, in a folder that the process makes for itself. */
    folder: z.string(),
    allowedRanges: z.array(z.string()),
    /** Signs the certificates that sandboxes are shown, PEM. */
    authority: z.object({ certificate: z.string(), key: z.string() }),
    /** How long a request waits for a person's decision before it is refused. */
    askHoldMs: z.number().int(),
    /** Users to become, the first that there can be, where the parent is root. */
    uids: z.array(z.number().int()).optional(),
  }),
  /** All of an agent, in place of what was sent before; answered by `agent-set`. */
  z.object({
    type: z.literal('agent'),
    id: z.number(),
    agentId: z.string(),
    policy: EgressPolicy,
    grants: z.array(EgressGrant),
  }),
  z.object({ type: z.literal('forget'), agentId: z.string() }),
  z.object({ type: z.literal('token'), id: z.number(), token: z.string(), expiresAt: z.number() }),
  z.object({
    type: z.literal('verdict'),
    id: z.number(),
    isAllowed: z.boolean(),
    reason: z.string().optional(),
    /** Nobody has decided yet: asking again is of use. */
    waits: z.boolean().optional(),
  }),
  /** What was asked for cannot be had. */
  z.object({ type: z.literal('failure'), id: z.number(), reason: z.string() }),
]);
export type ToEgress = z.output<typeof ToEgress>;

/** From the egress process. Bounded where it is read: what it says is not trusted further than that. */
export const FromEgress = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** The agent's listener is at this path and goes by what message `id` said. */
  z.object({ type: z.literal('agent-set'), id: z.number(), agentId: z.string(), path: z.string() }),
  z.object({ type: z.literal('access'), agentId: z.string(), entry: NetworkLogEntry }),
  z.object({ type: z.literal('uses'), uses: z.array(EgressUse).max(1_000) }),
  z.object({ type: z.literal('token-wanted'), id: z.number(), grantId: z.string() }),
  z.object({ type: z.literal('verdict-wanted'), id: z.number(), grantId: z.string(), request: EgressRequest }),
]);
export type FromEgress = z.input<typeof FromEgress>;
