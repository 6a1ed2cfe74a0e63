import type { Agent, NewVaultSecret, Roost, VaultCredential, VaultGrant, VaultSecret } from '@roost-ai/sdk';
import { buildCommand, buildRouteMap } from '@stricli/core';
import { readFileSync } from 'node:fs';
import { agentArgument, agentNames, type Cli, type Common, common, findAgent, readAll } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean, inLine } from '../output/clean.js';
import { ago } from '../output/table.js';

interface SetFlags extends Common {
  host?: string[];
  method?: string[];
  path?: string[];
  in?: ('headers' | 'query' | 'body')[];
  user?: string;
  header?: string;
  query?: string;
  credential?: string;
  keep?: boolean;
}

const text = { kind: 'parsed', parse: String, optional: true } as const;
const several = { ...text, variadic: ',' } as const;
const nameArgument = { brief: 'Name of the secret', placeholder: 'secret', parse: String } as const;

const list = buildCommand({
  docs: { brief: 'Secrets of the vault: where they may go, and when they were used' },
  parameters: { flags: common },
  async func(this: Cli, flags: Common) {
    const roost = this.connect(flags);
    const secrets = await roost.vault.list().toArray();
    if (flags.json) return this.out.json(secrets);
    const names = await agentNames(roost);
    const rows = secrets.map((one) => [
      one.name,
      one.kind,
      inLine(one.hosts.join(', '), 60),
      String(one.grant_count),
      usedOf(one, names),
      ago(one.rotated_at),
    ]);
    this.out.table(
      ['NAME', 'KIND', 'HOSTS', 'AGENTS', 'LAST USED', 'VALUE SET'],
      rows,
      'The vault is empty. Put a secret in with: roost vault set NAME --host api.example.com < FILE',
    );
  },
});

const set = buildCommand({
  docs: {
    brief: 'Put a secret into the vault, or change or rotate it',
    fullDescription:
      'The value is read from stdin, never from the command line, where other programs could read it. It is a bearer token; ' +
      'with --user a password, with --header or --query the value of that header or parameter. Of other kinds --credential ' +
      'names a file with the credential as the API takes it ("-" is stdin). Of a secret that is there what is not said stays; ' +
      'with --keep its value, too.',
  },
  parameters: {
    flags: {
      ...common,
      host: { ...several, brief: 'Hosts that it may go to: api.example.com or *.example.com' },
      method: { ...several, brief: 'Only these methods' },
      path: { ...several, brief: 'Only these paths and what is below them' },
      in: {
        kind: 'enum',
        values: ['headers', 'query', 'body'],
        optional: true,
        variadic: ',',
        brief: 'Where placeholders are replaced',
      },
      user: { ...text, brief: 'A user name: the value is its password' },
      header: { ...text, brief: 'The header whose value it is' },
      query: { ...text, brief: 'The parameter of the query whose value it is' },
      credential: { ...text, brief: 'A file with the credential as JSON; "-" is stdin' },
      keep: { kind: 'boolean', optional: true, withNegated: false, brief: 'Change all but the value' },
    },
    positional: { kind: 'tuple', parameters: [nameArgument] },
  },
  async func(this: Cli, flags: SetFlags, name: string) {
    const roost = this.connect(flags);
    const present = await find(roost, name);
    if (!present && (flags.keep || !flags.host))
      throw new CliError(
        `a new secret needs its hosts: roost vault set ${clean(name)} --host api.example.com`,
        EXIT.usage,
      );
    const where = {
      ...(flags.host ? { hosts: flags.host } : {}),
      ...(flags.method ? { methods: flags.method } : {}),
      ...(flags.path ? { path_prefixes: flags.path } : {}),
      ...(flags.in ? { placements: flags.in } : {}),
    };
    const credential = flags.keep ? {} : { credential: await credentialOf(this, flags) };
    const secret = present
      ? await roost.vault.update(present.id, { ...where, ...credential })
      : await roost.vault.create({ ...where, ...credential, name } as NewVaultSecret);
    if (flags.json) this.out.json(secret);
    else this.out.line(`${clean(secret.name)}: ${secret.kind}, for ${secret.hosts.join(', ')}`);
  },
});

const remove = buildCommand({
  docs: { brief: 'Delete a secret; no agent can use it any more' },
  parameters: { flags: common, positional: { kind: 'tuple', parameters: [nameArgument] } },
  async func(this: Cli, flags: Common, name: string) {
    const roost = this.connect(flags);
    const { id } = await existing(roost, name);
    await roost.vault.delete(id);
    if (flags.json) this.out.json({ id });
    else this.out.line('deleted');
  },
});

const grant = buildCommand({
  docs: {
    brief: 'Let an agent use a secret',
    fullDescription:
      'With --env that variable of its sandbox holds a placeholder, which is replaced on requests to the secret’s hosts. ' +
      'Without it every request to them carries the secret, for tools that need no key. With --ask each request waits until ' +
      'you allow it: roost approvals.',
  },
  parameters: {
    flags: {
      ...common,
      env: { ...text, brief: 'The variable that holds the placeholder, e.g. GITHUB_TOKEN' },
      ask: { kind: 'boolean', optional: true, withNegated: false, brief: 'A person is asked before each request' },
    },
    positional: { kind: 'tuple', parameters: [nameArgument, agentArgument] },
  },
  async func(this: Cli, flags: Common & { env?: string; ask?: boolean }, name: string, agent: string) {
    const roost = this.connect(flags);
    const secret = await existing(roost, name);
    const to = await findAgent(roost, agent);
    const made = await to.secrets.grant({
      secret_id: secret.id,
      env_name: flags.env ?? null,
      ask: flags.ask ?? false,
    });
    if (flags.json) this.out.json(made);
    else this.out.line('granted');
  },
});

const ask = buildCommand({
  docs: {
    brief: 'Let a person be asked before an agent’s requests carry a secret',
    fullDescription: 'From the next request on. With --no they are asked no more.',
  },
  parameters: {
    flags: { ...common, no: { kind: 'boolean', optional: true, withNegated: false, brief: 'Ask no more' } },
    positional: { kind: 'tuple', parameters: [nameArgument, agentArgument] },
  },
  async func(this: Cli, flags: Common & { no?: boolean }, name: string, agent: string) {
    const of = await findAgent(this.connect(flags), agent);
    const changed = await of.secrets.update((await grantOf(of, name)).id, { ask: flags.no !== true });
    if (flags.json) this.out.json(changed);
    else this.out.line(changed.ask ? 'asks first' : 'asks no more');
  },
});

const revoke = buildCommand({
  docs: { brief: 'Take a secret away from an agent, at once' },
  parameters: { flags: common, positional: { kind: 'tuple', parameters: [nameArgument, agentArgument] } },
  async func(this: Cli, flags: Common, name: string, agent: string) {
    const roost = this.connect(flags);
    const from = await findAgent(roost, agent);
    const found = await grantOf(from, name);
    await from.secrets.revoke(found.id);
    if (flags.json) this.out.json({ id: found.id });
    else this.out.line('revoked');
  },
});

const grants = buildCommand({
  docs: { brief: 'Secrets that an agent may use: uses, and requests that were refused' },
  parameters: { flags: common, positional: { kind: 'tuple', parameters: [agentArgument] } },
  async func(this: Cli, flags: Common, agent: string) {
    const found = await (await this.agent(flags, agent)).secrets.list();
    if (flags.json) return this.out.json(found);
    const rows = found.map((one) => [
      one.secret,
      one.env_name ?? 'by host',
      one.ask ? 'yes' : 'no',
      one.last_used_at === null ? 'never' : `${ago(one.last_used_at)} (${one.use_count})`,
      refusalOf(one),
    ]);
    this.out.table(
      ['SECRET', 'VARIABLE', 'ASKS', 'LAST USED', 'LAST REFUSED'],
      rows,
      'It may use no secret. Grant one with: roost vault grant SECRET AGENT --env NAME',
    );
  },
});

async function grantOf(agent: Agent, name: string): Promise<VaultGrant> {
  const found = (await agent.secrets.list()).find(({ secret }) => secret === name);
  if (found) return found;
  throw new CliError(`the agent may not use a secret "${clean(name)}"`, EXIT.notFound);
}

function refusalOf({ last_refused_at, last_refusal, refusal_count }: VaultGrant): string {
  if (last_refused_at === null) return 'never';
  return `${ago(last_refused_at)} (${refusal_count}): ${inLine(last_refusal ?? '', 80)}`;
}

function usedOf({ last_used_at, last_used_by }: VaultSecret, names: Map<string, string>): string {
  if (last_used_at === null || last_used_by === null) return 'never';
  return `${ago(last_used_at)} by ${names.get(last_used_by) ?? last_used_by}`;
}

async function credentialOf(cli: Cli, flags: SetFlags): Promise<VaultCredential> {
  const { user, header, query, credential } = flags;
  if ([user, header, query, credential].filter((flag) => flag !== undefined).length > 1)
    throw new CliError('say one of --user, --header, --query and --credential', EXIT.usage);
  if (credential !== undefined && credential !== '-') return jsonOf(readFileSync(credential, 'utf8'));
  if (cli.process.stdin.isTTY === true)
    throw new CliError('the value comes by stdin: roost vault set NAME … < FILE', EXIT.usage);
  const given = await readAll(cli.process.stdin);
  if (credential !== undefined) return jsonOf(given);
  // A file or `echo` ends with a line break that belongs to no value.
  const value = given.replace(/\r?\n$/, '');
  if (user !== undefined) return { kind: 'basic', username: user, password: value };
  if (header !== undefined) return { kind: 'header', name: header, value };
  if (query !== undefined) return { kind: 'query', name: query, value };
  return { kind: 'bearer', token: value };
}

function jsonOf(given: string): VaultCredential {
  try {
    return JSON.parse(given) as VaultCredential;
  } catch {
    // The parser's message would show a part of the secret.
    throw new CliError('the credential is no JSON', EXIT.usage);
  }
}

async function find(roost: Roost, name: string): Promise<VaultSecret | undefined> {
  for await (const secret of roost.vault.list()) if (secret.name === name) return secret;
  return undefined;
}

async function existing(roost: Roost, name: string): Promise<VaultSecret> {
  const secret = await find(roost, name);
  if (secret) return secret;
  throw new CliError(`there is no secret "${clean(name)}". See them with: roost vault list`, EXIT.notFound);
}

export const vault = buildRouteMap({
  docs: { brief: 'Secrets that agents use and never see' },
  routes: { list, set, delete: remove, grant, ask, revoke, grants },
});
