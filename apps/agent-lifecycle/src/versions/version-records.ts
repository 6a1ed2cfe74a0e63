import { Sealer } from '#lib/auth';
import { currentCall } from '#lib/call-context';
import { RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import type { AgentRow } from '../agents/agent-row.js';
import { openSecrets } from '../agents/agent-secrets.js';
import { diff } from './diff.js';
import { type Settings, secretValues, secretVersionsAfter, settingsOf } from './settings.js';
import {
  deleteOldVersions,
  findVersion,
  insertVersion,
  nextNumber,
  setVersion,
  type WholeVersionRow,
} from './versions.repository.js';

const MAX_CHANGED = 100;

/** Writes the versions of agents' configurations, in the transactions that change them. */
@Injectable()
export class VersionRecords {
  constructor(private readonly sealer: Sealer) {}

  /** The first one of an agent that was just made. */
  async first(tx: Transaction, agent: AgentRow): Promise<void> {
    const secrets = openSecrets(this.sealer, agent);
    await insertVersion(tx, agent, {
      version: agent.version,
      actor: currentCall()?.actor,
      note: null,
      changed: [],
      settings: settingsOf(agent, secrets),
      secrets: secretVersionsAfter({ values: new Map(), versions: {} }, secretValues(secrets), agent.version),
    });
  }

  /**
   * The version that follows from a change of a locked agent; none where nothing that is configured differs. Returns the
   * agent with its version.
   */
  async next(tx: Transaction, before: AgentRow, after: AgentRow, note: string | null): Promise<AgentRow> {
    const last = await this.current(tx, before);
    const secrets = openSecrets(this.sealer, after);
    const version = await nextNumber(tx, before.id);
    const settings = settingsOf(after, secrets);
    const values = secretValues(openSecrets(this.sealer, before));
    const versions = secretVersionsAfter({ values, versions: last.secrets }, secretValues(secrets), version);
    const changes = diff(last, { settings, secrets: versions });
    if (changes.length === 0) return { ...after, version: last.version };
    const changed = changes.slice(0, MAX_CHANGED).map(({ field }) => field);
    const actor = currentCall()?.actor;
    await insertVersion(tx, after, { version, actor, note, changed, settings, secrets: versions });
    await deleteOldVersions(tx, after.id, version);
    return setVersion(tx, after.id, version);
  }

  /** A version of a locked agent that it does not get: what it would have with these settings. */
  async draft(
    tx: Transaction,
    agent: AgentRow,
    { settings, secretNames, note }: { settings: Settings; secretNames: Set<string>; note: string | null },
  ): Promise<number> {
    const current = await this.current(tx, agent);
    const version = await nextNumber(tx, agent.id);
    const secrets = Object.fromEntries(Object.entries(current.secrets).filter(([field]) => secretNames.has(field)));
    const changed = diff(current, { settings, secrets })
      .slice(0, MAX_CHANGED)
      .map(({ field }) => field);
    const actor = currentCall()?.actor;
    await insertVersion(tx, agent, { version, actor, note, changed, settings, secrets, isDraft: true });
    await deleteOldVersions(tx, agent.id, current.version);
    return version;
  }

  /**
   * The version that a locked agent has now. It is written down where there is none: of agents that were made before
   * there were versions, and of those that a service of that time has changed since.
   */
  async current(tx: Transaction, agent: AgentRow): Promise<WholeVersionRow> {
    const last = await findVersion(tx, agent.id, agent.version);
    const secrets = openSecrets(this.sealer, agent);
    const settings = settingsOf(agent, secrets);
    if (last && isDeepStrictEqual(last.settings, settings)) return last;
    const version = last ? await nextNumber(tx, agent.id) : agent.version;
    const values = secretValues(secrets);
    const known = last ? { values, versions: last.secrets } : { values: new Map<string, string>(), versions: {} };
    const found = { settings, secrets: secretVersionsAfter(known, values, version) };
    const changed = last ? diff(last, found).map(({ field }) => field) : [];
    await insertVersion(tx, agent, { version, actor: undefined, note: null, changed, ...found });
    await setVersion(tx, agent.id, version);
    const written = await findVersion(tx, agent.id, version);
    if (!written) throw new Error('an inserted version was not found');
    return written;
  }
}

/** Errors: CONFLICT, with the present version, when it is not the one that the change was made of. */
export function requireVersion(agent: Pick<AgentRow, 'version'>, ifVersion: number | undefined): void {
  if (ifVersion === undefined || ifVersion === agent.version) return;
  throw new RoostError(
    'CONFLICT',
    `the agent has version ${agent.version} by now, and the change was made of version ${ifVersion}: read it again and apply the change to that`,
    [{ reason: 'version_changed', version: agent.version }],
  );
}
