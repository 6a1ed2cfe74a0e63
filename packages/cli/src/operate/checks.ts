import { AuthenticationError, PermissionError, type Roost } from '@roost-ai/sdk';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inLine } from '../output/clean.js';
import type { FoundProfile } from '../profiles/profiles.js';
import { cloneOf } from './clone.js';

/** `warn`: it works, and something will be missed. */
export interface Finding {
  check: string;
  state: 'ok' | 'warn' | 'fail';
  found: string;
  /** What to do about it. */
  remedy?: string;
}

const OLDEST_NODE = 20;
/** A quota that is used so far is soon in the way. */
const NEARLY_FULL = 0.9;
const MAX_AGENTS_IN_ERROR = 5;

const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found });
const bad = (check: string, state: 'warn' | 'fail', found: string, remedy: string): Finding => ({
  check,
  state,
  found,
  remedy,
});

/** What a Roost on this machine needs; nothing of one elsewhere. */
export function checkMachine(): Finding[] {
  const { versions, platform, arch } = process;
  const node = Number.parseInt(versions.node) >= OLDEST_NODE;
  const findings = [
    node
      ? ok('node', versions.node)
      : bad('node', 'fail', versions.node, `install Node ${OLDEST_NODE} or newer: https://nodejs.org`),
  ];
  if (cloneOf() === undefined) return findings;
  findings.push(
    platform === 'linux'
      ? ok('system', `${platform} ${arch}`)
      : bad('system', 'fail', platform, 'agents’ sandboxes need Linux: run Roost there, or with Docker'),
    programOf('bwrap', 'sandboxes', 'install the package bubblewrap; without it agents are in the state "error"'),
    programOf('nats-server', 'bus', 'install the package nats-server, or set NATS_URL'),
  );
  return findings;
}

function programOf(name: string, check: string, remedy: string): Finding {
  const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
  return status === 0 ? ok(check, inLine(stdout)) : bad(check, 'fail', `${name} is not there`, remedy);
}

/** Whether it answers, and what of it does not. */
export async function checkServices(roost: Roost, { url, from }: FoundProfile): Promise<Finding[]> {
  const startedAt = Date.now();
  try {
    const { status, dependencies, workspaces = {} } = await roost.health();
    const down = Object.entries(dependencies).filter(([, state]) => state === 'down');
    return [
      ok('api', `${url} answers in ${Date.now() - startedAt} ms (${from})`),
      ...down.map(([name]) => bad(name, 'fail', 'does not answer', remedyFor(name))),
      ...(down.length === 0 ? [ok('services', status)] : []),
      ...(Object.keys(workspaces).length > 0
        ? [
            ok(
              'workspaces',
              inLine(
                Object.entries(workspaces)
                  .map(([name, how]) => `${name}: ${how}`)
                  .join(', '),
                200,
              ),
            ),
          ]
        : []),
    ];
  } catch (error) {
    const found = inLine(error instanceof Error ? error.message : String(error), 200);
    const remedy = existsSync(from)
      ? 'start it with: roost up'
      : 'check the address; sign in anew with: roost login --url URL';
    return [bad('api', 'fail', found, remedy)];
  }
}

const remedyFor = (name: string) =>
  name === 'postgres'
    ? 'is PostgreSQL up, and DATABASE_URL right? The log of npm start, or of the gateway, says more'
    : `is the service ${name} running, and the bus? Its log says more`;

/** Whether the key is good, what answers, and what will soon be in the way. Empty where nothing can be asked. */
export async function checkAccount(roost: Roost): Promise<Finding[]> {
  try {
    const [{ models, notes }, quotas, ill] = await Promise.all([
      roost.models(),
      roost.account.quotas(),
      roost.agents.list({ status: 'error' }).toArray(MAX_AGENTS_IN_ERROR),
    ]);
    const model = models.find(({ is_default: isDefault }) => isDefault);
    const full = quotas.filter(({ limit, used }) => used !== null && limit > 0 && used / limit >= NEARLY_FULL);
    return [
      ok('key', 'is valid'),
      model === undefined || model.provider === 'demo'
        ? bad(
            'model',
            'warn',
            model ? 'the built-in demo answers' : 'no default',
            'set ANTHROPIC_API_KEY, OPENAI_API_KEY, GOOGLE_API_KEY or OPENAI_BASE_URL where Roost is started',
          )
        : ok('model', inLine(model.id)),
      ...notes.map((note) => bad('model', 'warn', inLine(note, 200), 'see the note')),
      ...full.map(({ name, limit, used }) =>
        bad('quota', 'warn', `${name}: ${used} of ${limit}`, 'delete some, or ask the operator'),
      ),
      ...ill.map(({ id, name }) => bad('agent', 'warn', `${inLine(name, 60)} is in error`, `roost agents get ${id}`)),
    ];
  } catch (error) {
    const found = inLine(error instanceof Error ? error.message : String(error), 200);
    if (error instanceof AuthenticationError) return [bad('key', 'fail', found, 'sign in with: roost login')];
    if (error instanceof PermissionError) return [bad('key', 'fail', found, 'ask the operator')];
    return [bad('key', 'fail', found, 'see the checks above')];
  }
}
