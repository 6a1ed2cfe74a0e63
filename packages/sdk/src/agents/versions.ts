import { type Core, dataOf } from '../core.js';
import { versionsDiff, versionsDraft, versionsGet, versionsList, versionsRollBack } from '../generated/sdk.gen.js';
import type {
  VersionsDiffResponses,
  VersionsDraftData,
  VersionsDraftResponses,
  VersionsGetResponses,
  VersionsListResponses,
  VersionsRollBackResponses,
} from '../generated/types.gen.js';
import { Listing } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';

export type AgentVersion = VersionsListResponses[200]['versions'][number];
/** With all that was configured. */
export type AgentVersionDetails = VersionsGetResponses[200];
export type FieldChange = VersionsDiffResponses[200]['changes'][number];
/** Which two versions were compared, and the fields that differ. */
export type VersionComparison = VersionsDiffResponses[200];
export type NewDraft = VersionsDraftData['body'];
export type RolledBack = VersionsRollBackResponses[200];

/** A change that is refused (409) when the agent has another version by now than the one it was made of. */
export interface ChangeOptions extends CallOptions {
  /** `version` of the agent as it was read. */
  ifVersion?: number | undefined;
}

/** What an agent was configured with: every change makes a version, none is ever changed. */
export class Versions {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  /** The newest first. */
  list(options?: CallOptions): Listing<AgentVersion> {
    return Listing.of<AgentVersion, number>(async (before) => {
      const query = { limit: 100, ...(before === undefined ? {} : { before }) };
      const answer = await dataOf(versionsList({ ...this.call(options), query }));
      return { items: answer.versions, next: answer.has_more ? answer.versions.at(-1)?.version : undefined };
    });
  }

  get(version: number, options?: CallOptions): Promise<AgentVersionDetails> {
    return dataOf(versionsGet({ ...this.core.by(options), path: { id: this.agentId, version: String(version) } }));
  }

  /** The fields that differ, from the present version if no other is named; of secrets, in which version each value was set. */
  async diff(from: number, to?: number, options?: CallOptions): Promise<FieldChange[]> {
    return (await this.compare({ from, ...(to === undefined ? {} : { to }) }, options)).changes;
  }

  /** As `diff`, with the two numbers: without `to` it is the present version, without `from` the one before, drafts left out. */
  compare(named: { from?: number; to?: number } = {}, options?: CallOptions): Promise<VersionComparison> {
    return dataOf(versionsDiff({ ...this.call(options), query: named }));
  }

  /**
   * Makes a version that the agent does not get, to be tried: `agent.ask(text, { version })`. A roll back to it publishes
   * it. It holds no new values of secrets.
   */
  draft(change: NewDraft, options?: CallOptions): Promise<VersionsDraftResponses[201]> {
    return dataOf(versionsDraft({ ...this.call(options), body: change }));
  }

  /** Gives the agent the settings of that version, as a new one. `not_restored` says what could not be brought back. */
  rollBack(version: number, options: ChangeOptions & { note?: string } = {}): Promise<RolledBack> {
    const { note, ...call } = options;
    const body = { version, ...(note === undefined ? {} : { note }) };
    return dataOf(versionsRollBack({ ...this.call(ifMatch(call)), body }));
  }

  private call(options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: this.agentId } };
  }
}

/** The options of a call with `If-Match`. */
export function ifMatch({ ifVersion, ...options }: ChangeOptions = {}): CallOptions {
  if (ifVersion === undefined) return options;
  return { ...options, headers: { ...options.headers, 'if-match': `"${ifVersion}"` } };
}
