import type { Agent, Roost } from '@roost-ai/sdk';
import { type Cli, findAgent } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean } from '../output/clean.js';

/** The agent that `roost chat` makes where there is none. */
const FIRST_NAME = 'assistant';
const MOST_SHOWN = 10;

/** The one that is named; else the only one there is, or a first one. Errors: CliError when there are several. */
export async function chooseAgent(
  cli: Cli,
  roost: Roost,
  name: string | undefined,
): Promise<{ agent: Agent; name: string }> {
  if (name !== undefined) return { agent: await findAgent(roost, name), name };
  const known = await roost.agents.list({ sort: 'updated_at' }).toArray(MOST_SHOWN + 1);
  const [only] = known;
  if (!only) {
    cli.out.note(`Made an agent called "${FIRST_NAME}".`);
    return { agent: await roost.agents.create({ name: FIRST_NAME }), name: FIRST_NAME };
  }
  if (known.length === 1) return { agent: roost.agent(only.id), name: only.name };
  const names = known.slice(0, MOST_SHOWN).map((agent) => clean(agent.name));
  throw new CliError(`which agent? roost chat AGENT, AGENT being one of: ${names.join(', ')}`, EXIT.usage);
}
