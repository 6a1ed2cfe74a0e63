import {
  type AppliedObject,
  type CreateAgent,
  type DocumentedAgent,
  type PlannedChange,
  type PlannedPart,
  RoostError,
} from '#lib/contracts';
import type { WholeUpdate } from '../agents/agent-records.js';
import type { AgentRow } from '../agents/agent-row.js';
import type { AgentSecrets } from '../agents/agent-secrets.js';
import { configuredOf } from '../versions/configured.js';
import type { ComparedParts } from './agent-parts.js';
import { changesBetween, creationOf, updateOf } from './changes-between.js';
import { wantedAgent } from './wanted-agent.js';

/** What makes one agent as its document says. */
export interface AgentPlan {
  name: string;
  document: DocumentedAgent;
  present: AgentRow | undefined;
  changes: PlannedChange[];
  /** Undefined where the agent is so already. */
  creation?: CreateAgent | undefined;
  update?: WholeUpdate | undefined;
  automation: ComparedParts;
  webhooks: ComparedParts;
  grants: ComparedParts;
}

/** Errors: VALIDATION_ERROR, CONFLICT when the agent has another version than the document is for. */
export function planAgent(
  name: string,
  document: DocumentedAgent,
  present: { row: AgentRow; secrets: AgentSecrets } | undefined,
  prune: boolean,
): AgentPlan {
  const before = present && configuredOf(present.row, present.secrets);
  requirePlanned(document.ifVersion, present?.row);
  const after = wantedAgent(name, document, before, prune);
  const changes = changesBetween(before, after);
  const differs = changes.length > 0;
  return {
    ...{ name, document, present: present?.row, changes },
    ...{ automation: { parts: [] }, webhooks: { parts: [] }, grants: { parts: [] } },
    ...(before ? {} : { creation: creationOf(after) }),
    ...(before && differs ? { update: updateOf(before, after) } : {}),
  };
}

/** The document is refused before anything is done, whereas `ifVersion` of the update itself is looked at under its lock. */
function requirePlanned(ifVersion: number | undefined, present: AgentRow | undefined): void {
  if (ifVersion === undefined || ifVersion === present?.version) return;
  const now = present ? `has version ${present.version} by now` : 'is gone';
  throw new RoostError(
    'CONFLICT',
    `if_version: the agent ${now}, and the document is for version ${ifVersion}: look at what differs, then apply again`,
    [{ field: 'if_version', reason: 'version_changed', version: present?.version ?? null }],
  );
}

/** All that belongs to the agent. */
export const partsOf = ({ automation, webhooks, grants }: AgentPlan): PlannedPart[] => [
  ...automation.parts,
  ...webhooks.parts,
  ...grants.parts,
];

export const actionOf = ({ creation, update }: AgentPlan): AppliedObject['action'] =>
  creation ? 'create' : update ? 'update' : 'none';

/** An object of the answer, of the agent itself. */
export function agentObject(plan: AgentPlan, made: AgentRow | undefined, rest: Outcome): AppliedObject {
  const row = made ?? plan.present;
  return {
    ...{ agent: plan.name, kind: 'agent', name: plan.name, id: row?.id ?? null, version: row?.version ?? null },
    ...{ action: actionOf(plan), changes: plan.changes, secret: null },
    ...rest,
  };
}

export type Outcome = Pick<AppliedObject, 'status' | 'error'>;

/** Objects of the answer, of what belongs to an agent. What is so already is done, whatever became of the rest. */
export function partObjects({ name }: AgentPlan, parts: PlannedPart[], outcome: Outcome): AppliedObject[] {
  return parts.map((part) => ({
    ...{ agent: name, version: null, ...part },
    ...(part.action === 'none' && outcome.status === 'failed' ? DONE : outcome),
  }));
}

export const PLANNED: Outcome = { status: 'planned', error: null };
export const DONE: Outcome = { status: 'done', error: null };
export const SKIPPED: Outcome = { status: 'skipped', error: null };

export function failedBy({ code, message }: RoostError): Outcome {
  return { status: 'failed', error: { code, message } };
}
