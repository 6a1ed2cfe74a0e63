import { type Agent, signWebhook } from '@roost-ai/sdk';
import { buildCommand } from '@stricli/core';
import { agentArgument, type Cli, type Common, common, findAgent, STREAM_RETRY_FOR_MS } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { inLine, safeJson } from '../output/clean.js';
import { LISTENED, type MadeWebhook, webhooksOf } from './webhook-bodies.js';

interface ListenFlags extends Common {
  forward: URL;
  agent?: readonly string[];
  events?: readonly (typeof LISTENED)[number][];
  secret?: string;
}

const FORWARD_MS = 15_000;
/** Each is an event stream, of which an account has a quota. */
const MAX_AGENTS = 100;

export const listen = buildCommand({
  docs: {
    brief: 'Send what happens to a program on this machine, signed as webhooks are',
    fullDescription:
      'For building a receiver without an address that Roost can reach: events are read from the event streams of ' +
      `your agents and posted to --forward until Ctrl-C, each once. There are ${LISTENED.join(', ')}; other webhooks come from Roost alone. ` +
      'The secret is printed at the start, unless it is given.',
  },
  parameters: {
    flags: {
      ...common,
      forward: { kind: 'parsed', parse: httpUrl, brief: 'E.g. http://localhost:8080/roost' },
      agent: {
        ...agentArgument,
        kind: 'parsed',
        optional: true,
        variadic: true,
        brief: 'Only of this agent (repeatable)',
      },
      events: { kind: 'enum', values: LISTENED, optional: true, variadic: ',', brief: 'Only these events' },
      secret: { kind: 'parsed', parse: String, optional: true, brief: 'The whsec_… to sign with' },
    },
  },
  async func(this: Cli, flags: ListenFlags) {
    const roost = this.connect(flags);
    const agents: Agent[] = flags.agent
      ? await Promise.all(flags.agent.map((name) => findAgent(roost, name)))
      : (await roost.agents.list().toArray(MAX_AGENTS + 1)).map(({ id }) => roost.agent(id));
    if (agents.length === 0) throw new CliError('there is no agent to listen to', EXIT.notFound);
    if (agents.length > MAX_AGENTS)
      throw new CliError(`there are more than ${MAX_AGENTS} agents: name some with --agent`, EXIT.usage);
    const secret = flags.secret ?? newSecret();
    // Fails here, and not at the first event, where it is none.
    await signWebhook('', secret, { id: 'check' });
    if (flags.json) this.out.jsonLine({ secret, agents: agents.map(({ id }) => id) });
    else {
      this.out.line(`Secret  ${secret}`);
      this.out.note(`Sending the events of ${agents.length} agents to ${flags.forward.href} until Ctrl-C.`);
    }
    await Promise.all(agents.map((agent) => this.out && forwardEvents(this, agent, flags, secret)));
  },
});

async function forwardEvents({ out }: Cli, agent: Agent, flags: ListenFlags, secret: string): Promise<void> {
  for await (const event of agent.events({ retryForMs: STREAM_RETRY_FOR_MS }))
    for (const made of webhooksOf(event)) {
      if (flags.events && !(flags.events as readonly string[]).includes(made.body.type)) continue;
      const outcome = await post(flags.forward, made, secret);
      if (flags.json) out.jsonLine({ id: made.id, type: made.body.type, ...outcome });
      else out.line(`${made.body.type}  ${outcome.status ?? inLine(outcome.error ?? '')}  ${outcome.ms} ms`);
    }
}

/** Once: a receiver that is being built is sent the next event rather than the last one again. */
async function post(url: URL, { id, body }: MadeWebhook, secret: string) {
  const payload = safeJson(body);
  const headers = { 'content-type': 'application/json', ...(await signWebhook(payload, secret, { id })) };
  const startedAt = Date.now();
  try {
    const signal = AbortSignal.timeout(FORWARD_MS);
    const response = await fetch(url, { method: 'POST', headers, body: payload, signal, redirect: 'manual' });
    await response.body?.cancel();
    return { status: response.status, ms: Date.now() - startedAt };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { error: cause instanceof Error ? cause.message : String(cause), ms: Date.now() - startedAt };
  }
}

function httpUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new TypeError(`"${given}" is no URL that begins with http:// or https://`);
}

const newSecret = () => `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64')}`;
