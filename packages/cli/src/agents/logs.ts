import type { Agent, AgentEvent } from '@roost-ai/sdk';
import { buildCommand } from '@stricli/core';
import { agentArgument, type Cli, type Common, common, findAgent, STREAM_RETRY_FOR_MS } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean } from '../output/clean.js';
import { lineOfEvent } from './show-events.js';

interface LogFlags extends Common {
  follow?: boolean;
  deltas?: boolean;
}

/** Each is an event stream, of which an account has a quota. */
const MAX_FOLLOWED = 50;

export const logs = buildCommand({
  docs: {
    brief: 'What happens to an agent, or to all',
    fullDescription: 'The events of the last 24 hours; with --follow those that come from now on, until Ctrl-C.',
  },
  parameters: {
    flags: {
      ...common,
      follow: { kind: 'boolean', optional: true, withNegated: false, brief: 'Go on with what comes' },
      deltas: { kind: 'boolean', optional: true, withNegated: false, brief: 'Each piece of text, too' },
    },
    positional: { kind: 'tuple', parameters: [{ ...agentArgument, optional: true }] },
    aliases: { f: 'follow' },
  },
  async func(this: Cli, flags: LogFlags, name?: string) {
    const roost = this.connect(flags);
    const agents: [Agent, string][] =
      name === undefined
        ? (await roost.agents.list().toArray(MAX_FOLLOWED + 1)).map((agent) => [roost.agent(agent.id), agent.name])
        : [[await findAgent(roost, name), name]];
    if (agents.length > MAX_FOLLOWED)
      throw new CliError(`there are more than ${MAX_FOLLOWED} agents: name one, roost logs AGENT`, EXIT.usage);
    const width = Math.max(0, ...agents.map(([, one]) => clean(one).length));
    const show = (event: AgentEvent, agentName: string) => {
      if (event.type === 'text.delta' && !flags.deltas) return;
      if (flags.json) return this.out.jsonLine({ agent: agentName, ...event });
      const label = name === undefined ? `${this.out.bold(clean(agentName).padEnd(width))}  ` : '';
      this.out.line(`${label}${lineOfEvent(event)}`);
    };
    await Promise.all(
      agents.map(async ([agent, agentName]) => {
        for await (const event of flags.follow ? following(agent) : kept(agent)) show(event, agentName);
      }),
    );
  },
});

const following = (agent: Agent) => agent.events({ retryForMs: STREAM_RETRY_FOR_MS });

/** The events that are kept, up to the one that is the last now. */
async function* kept(agent: Agent): AsyncGenerator<AgentEvent> {
  const last = await agent.lastEventId();
  if (last === '0') return;
  for await (const event of agent.events({ after: '0' })) {
    yield event;
    if (event.id === last) return;
  }
}
