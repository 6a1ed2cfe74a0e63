import { type Agent, Roost } from '@roost-ai/sdk';
import type { CommandContext } from '@stricli/core';
import { CliError, EXIT } from './failure.js';
import { clean } from './output/clean.js';
import { Output } from './output/output.js';
import { findProfile, type FoundProfile } from './profiles/profiles.js';

/** How long a command waits for a Roost that does not answer: a person is waiting, too. */
const RETRY_FOR_MS = 4_000;
/** Streams go on for longer: a restart is not their end. */
export const STREAM_RETRY_FOR_MS = 300_000;

/** Flags that every command has. */
export interface Common {
  json?: boolean;
  profile?: string;
}

export const common = {
  json: { kind: 'boolean', optional: true, withNegated: false, brief: 'Print JSON, for programs' },
  profile: { kind: 'parsed', parse: String, optional: true, brief: 'Which Roost (roost login --profile NAME)' },
} as const;

/** What every command works with. */
export class Cli implements CommandContext {
  readonly out: Output;

  constructor(readonly process: NodeJS.Process) {
    this.out = new Output(process.stdout, process.stderr, process.env);
  }

  get env(): NodeJS.ProcessEnv {
    return this.process.env;
  }

  /** Errors: CliError when there is none. */
  profile({ profile }: Common): FoundProfile {
    return findProfile(profile, this.env, this.process.cwd());
  }

  connect(flags: Common, retryForMs = RETRY_FOR_MS): Roost {
    const { url, apiKey } = this.profile(flags);
    return new Roost({ url, apiKey, retryForMs, headers: { 'user-agent': 'roost-cli' } });
  }

  /** The agent with this id or name. Errors: CliError. */
  async agent(flags: Common, nameOrId: string): Promise<Agent> {
    return findAgent(this.connect(flags), nameOrId);
  }
}

/** The names of agents by their ids, of as many as there are. */
export async function agentNames(roost: Roost): Promise<Map<string, string>> {
  return new Map((await roost.agents.list().toArray()).map(({ id, name }) => [id, name]));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function findAgent(roost: Roost, nameOrId: string): Promise<Agent> {
  if (UUID.test(nameOrId)) return roost.agent(nameOrId);
  const found = [];
  for await (const agent of roost.agents.list()) if (agent.name === nameOrId) found.push(agent.id);
  const [id] = found;
  if (id === undefined)
    throw new CliError(`there is no agent "${clean(nameOrId)}". See them with: roost agents list`, EXIT.notFound);
  if (found.length > 1)
    throw new CliError(
      `several agents are called "${clean(nameOrId)}"; name one by its id: ${found.join(', ')}`,
      EXIT.usage,
    );
  return roost.agent(id);
}

/** The argument that names an agent, proposed by name. */
export const agentArgument = {
  brief: 'Name or id of the agent',
  placeholder: 'agent',
  parse: String,
  async proposeCompletions(this: Cli, partial: string): Promise<string[]> {
    const agents = await this.connect({}, 0).agents.list({}, { timeoutMs: 1_500 }).toArray(200);
    return agents.map(({ name }) => clean(name)).filter((name) => name.startsWith(partial) && !/\s/.test(name));
  },
} as const;

/** All that comes in by stdin. */
export async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) text += String(chunk);
  return text;
}
