import { type Core, dataOf } from '../core.js';
import { agentsCreate, agentsList } from '../generated/sdk.gen.js';
import type { AgentsCreateData, AgentsListData, AgentsListResponses } from '../generated/types.gen.js';
import { type Listing, numbered } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';
import { Agent, type AgentChange, type AgentDetails } from './agent.js';
import {
  type AgentDocument,
  type AppliedDocument,
  type ApplyOptions,
  Documents,
  type ExportedDocument,
} from './documents.js';

export type NewAgent = AgentsCreateData['body'];
/** With what the API says of it as it was made. */
export type CreatedAgent = Agent & { readonly details: AgentDetails };
export type AgentListItem = AgentsListResponses[200]['agents'][number];
export type AgentsQuery = Omit<NonNullable<AgentsListData['query']>, 'page'>;

export class Agents {
  private readonly documents: Documents;

  constructor(private readonly core: Core) {
    this.documents = new Documents(core);
  }

  /** It is active at once; its workspace is made when it is first used. */
  async create(agent: NewAgent, options?: CallOptions): Promise<CreatedAgent> {
    const details = await dataOf(agentsCreate({ ...this.core.by(options), body: agent }));
    return Object.assign(new Agent(this.core, details.id), { details });
  }

  /** The newest first, unless the query says otherwise. */
  list(query: AgentsQuery = {}, options?: CallOptions): Listing<AgentListItem> {
    return numbered(
      (page) => dataOf(agentsList({ ...this.core.by(options), query: { limit: 100, ...query, page } })),
      ({ agents }) => agents,
    );
  }

  get(id: string, options?: CallOptions): Promise<AgentDetails> {
    return new Agent(this.core, id).get(options);
  }

  update(id: string, change: AgentChange, options?: CallOptions): Promise<AgentDetails> {
    return new Agent(this.core, id).update(change, options);
  }

  delete(id: string, options?: CallOptions): Promise<{ message: string; id: string }> {
    return new Agent(this.core, id).delete(options);
  }

  /** All that is configured of an agent, with its schedules, triggers and webhooks; secrets by name, never by value. */
  export(id: string, options?: CallOptions): Promise<ExportedDocument> {
    return this.documents.export(id, options);
  }

  /**
   * Makes agents as a document says, by name: what is not there is made, what differs is changed, what is not named stays.
   * What fails is in the answer (`is_complete`), beside what was done. Errors: RoostError when the document is refused as
   * a whole, before anything is changed.
   */
  apply(document: AgentDocument, options?: ApplyOptions): Promise<AppliedDocument> {
    return this.documents.apply(document, options);
  }

  start(id: string, options?: CallOptions): ReturnType<Agent['start']> {
    return new Agent(this.core, id).start(options);
  }

  stop(id: string, options?: CallOptions): ReturnType<Agent['stop']> {
    return new Agent(this.core, id).stop(options);
  }

  pause(id: string, options?: CallOptions): ReturnType<Agent['pause']> {
    return new Agent(this.core, id).pause(options);
  }

  resume(id: string, options?: CallOptions): ReturnType<Agent['resume']> {
    return new Agent(this.core, id).resume(options);
  }
}
