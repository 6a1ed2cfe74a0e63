import { type AppliedDocument, type Roost, withSecrets } from '@roost-ai/sdk';
import { buildCommand } from '@stricli/core';
import { stringify } from 'yaml';
import { agentArgument, type Cli, type Common, common, findAgent } from '../cli.js';
import { CliError, EXIT, exitCodeOf, lineOf } from '../failure.js';
import { clean } from '../output/clean.js';
import { type ReadDocument, readDocuments } from './read-documents.js';
import { showPlan, showResult } from './show-plan.js';

interface FileFlags extends Common {
  file: readonly string[];
  prune?: boolean;
}

const fileFlags = {
  ...common,
  file: {
    kind: 'parsed',
    parse: String,
    variadic: true,
    brief: 'A YAML or JSON file; - is stdin. May be given several times',
  },
  prune: {
    kind: 'boolean',
    optional: true,
    withNegated: false,
    brief: 'Take away what the file does not name: schedules, triggers, webhooks and settings of its agents',
  },
} as const;

export const apply = buildCommand({
  docs: {
    brief: 'Make agents as files say',
    customUsage: ['-f FILE', '-f FILE --dry-run'],
    fullDescription:
      'Shows what differs, then changes that. What a file does not name stays, unless --prune; agents are never deleted. ' +
      'Secrets are named in files, { from_env: NAME }, and have their values in the environment of this command: one that ' +
      'is not set there stays as it is. Exit code 1: something could not be changed; the same command again goes on.',
  },
  parameters: {
    flags: {
      ...fileFlags,
      dryRun: { kind: 'boolean', optional: true, withNegated: false, brief: 'Only show what would be changed' },
    },
    aliases: { f: 'file' },
  },
  async func(this: Cli, flags: FileFlags & { dryRun?: boolean }) {
    const roost = this.connect(flags);
    const documents = await read(this, flags);
    // All files are checked before the first is applied.
    const plans = await planned(this, roost, documents);
    if (flags.dryRun) return showAll(this, flags, plans);
    const results: AppliedDocument[] = [];
    for (const [at, { document }] of documents.entries()) {
      if (!flags.json) showPlan(this.out, plans[at] as AppliedDocument);
      const result = await roost.agents.apply(ofVersions(document, plans[at] as AppliedDocument), { env: this.env });
      results.push(result);
      if (!flags.json) showResult(this.out, result);
    }
    if (flags.json) this.out.json(results.length === 1 ? results[0] : results);
    else if (!results.some(({ differs }) => differs)) this.out.note('Nothing differs.');
    if (!results.every(({ is_complete: isComplete }) => isComplete))
      throw new CliError('not all could be applied; the same command again goes on with the rest');
  },
});

export const diff = buildCommand({
  docs: {
    brief: 'What differs between agents and files',
    customUsage: ['-f FILE'],
    fullDescription:
      'Changes nothing. Exit codes: 0 nothing differs · 1 something differs · 2 and more: as everywhere, 2 in place of 1.',
  },
  parameters: { flags: fileFlags, aliases: { f: 'file' } },
  async func(this: Cli, flags: FileFlags) {
    try {
      const plans = await planned(this, this.connect(flags), await read(this, flags));
      showAll(this, flags, plans);
      if (plans.some(({ differs }) => differs)) this.process.exitCode = EXIT.failed;
    } catch (error) {
      // 1 is what a difference gives, as of diff(1).
      if (exitCodeOf(error) !== EXIT.failed) throw error;
      throw new CliError(lineOf(error).replace(/^roost: /, ''), EXIT.usage);
    }
  },
});

export const exportAgents = buildCommand({
  docs: {
    brief: 'Print agents as a file, for roost apply',
    fullDescription: 'YAML, or JSON with --json. Secrets are named, never shown.',
  },
  parameters: { flags: common, positional: { kind: 'array', minimum: 1, parameter: agentArgument } },
  async func(this: Cli, flags: Common, ...names: string[]) {
    const roost = this.connect(flags);
    const agents: AppliedAgents = {};
    for (const name of names) {
      const exported = await roost.agents.export((await findAgent(roost, name)).id);
      for (const [key, agent] of Object.entries(exported.agents)) {
        if (Object.hasOwn(agents, key))
          throw new CliError(`two agents are called "${clean(key)}": a file has one of them`);
        agents[key] = agent;
      }
    }
    if (flags.json) this.out.json({ agents });
    else this.out.write(stringify({ agents }, { lineWidth: 0 }));
  },
});

type AppliedAgents = Awaited<ReturnType<Roost['agents']['export']>>['agents'];

async function read(cli: Cli, { file, prune }: FileFlags): Promise<ReadDocument[]> {
  const documents = await readDocuments(cli, file);
  return prune ? documents.map((read) => ({ ...read, document: { ...read.document, prune: true } })) : documents;
}

async function planned(cli: Cli, roost: Roost, documents: ReadDocument[]): Promise<AppliedDocument[]> {
  const plans: AppliedDocument[] = [];
  for (const { document } of documents) {
    const { missing } = withSecrets(document, cli.env);
    if (missing.length > 0)
      cli.out.note(`not set, so left as they are: ${missing.map((name) => clean(name)).join(', ')}`);
    plans.push(await roost.agents.apply(document, { env: cli.env, dryRun: true }));
  }
  return plans;
}

/** For the versions that were shown: what somebody has changed since is not overwritten unseen. */
function ofVersions(document: ReadDocument['document'], { objects }: AppliedDocument): ReadDocument['document'] {
  const versions = new Map(objects.flatMap(({ kind, name, version }) => (kind === 'agent' ? [[name, version]] : [])));
  const agents = Object.entries(document.agents).map(([name, agent]) => {
    const version = versions.get(name);
    return [name, version ? { if_version: version, ...agent } : agent];
  });
  return { ...document, agents: Object.fromEntries(agents) as typeof document.agents };
}

function showAll(cli: Cli, { json }: Common, plans: AppliedDocument[]): void {
  if (json) return cli.out.json(plans.length === 1 ? plans[0] : plans);
  for (const plan of plans) showPlan(cli.out, plan);
  if (!plans.some(({ differs }) => differs)) cli.out.note('Nothing differs.');
}
