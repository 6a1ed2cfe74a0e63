import { type Core, dataOf, idOf } from '../core.js';
import type { RunEvent } from '../events/agent-events.js';
import { follow } from '../events/follow.js';
import { runsCancel, runsGet, runsList } from '../generated/sdk.gen.js';
import type { RunsGetResponses, RunsListData, RunsListResponses } from '../generated/types.gen.js';
import { Listing } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';

export type Run = RunsListResponses[200]['runs'][number];
/** With messages, attempts and steps. */
export type RunDetails = RunsGetResponses[200];
export type RunStep = RunDetails['steps'][number];
export type RunQuery = Omit<NonNullable<RunsListData['query']>, 'before' | 'limit'>;

export interface RunEventsOptions extends CallOptions {
  /** The id of the last event you have. Absent: from the start of the run. */
  after?: string | undefined;
}

/** What an agent did: a run for each batch of messages. */
export class Runs {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  /** The newest first. */
  list(query: RunQuery = {}, options?: CallOptions): Listing<Run> {
    return Listing.of<Run, string>(async (before) => {
      const sent = { ...query, limit: 100, ...(before === undefined ? {} : { before }) };
      const answer = await dataOf(runsList({ ...this.core.by(options), path: { id: this.agentId }, query: sent }));
      return { items: answer.runs, next: answer.has_more ? answer.runs.at(-1)?.id : undefined };
    });
  }

  /** Everything that is known of a run: each call of a model and a tool, with tokens, cost and times. */
  get(runId: string, options?: CallOptions): Promise<RunDetails> {
    return dataOf(runsGet(this.call(runId, options)));
  }

  /** Stops it; its messages are not answered. Again changes nothing. */
  cancel(runId: string, options?: CallOptions) {
    return dataOf(runsCancel(this.call(runId, options)));
  }

  /**
   * What happens in a run, from its start whenever you ask, until it has ended: the last event is `run.ended`. Connects
   * again by itself, and goes on where it was. An event `stream.gap` says that its begin is older than what is kept (24 h).
   */
  async *events(runId: string, options: RunEventsOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    const path = `/v1/agent/${encodeURIComponent(this.agentId)}/runs/${encodeURIComponent(idOf(runId, 'a run'))}/events`;
    for await (const event of follow<RunEvent>(this.core.transport, { ...options, path: () => path }))
      if ('type' in event) yield event;
  }

  private call(runId: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: this.agentId, runId: idOf(runId, 'a run') } };
  }
}
