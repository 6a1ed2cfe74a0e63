import { Bus } from '#lib/bus';
import {
  applyAutomation,
  applyWebhooks,
  type DocumentedAgent,
  listSchedules,
  listTriggers,
  listWebhookEndpoints,
  type PlannedPart,
  type Schedule,
  type Trigger,
  type WebhookEndpoint,
} from '#lib/contracts';
import { Injectable } from '@nestjs/common';

export interface Applied {
  /** Null of an agent that is not made yet, in a dry run. */
  agentId: string | null;
  dryRun: boolean;
  prune: boolean;
  /** What they were compared with. */
  ifState?: string | undefined;
}

/** What makes parts of an agent as a document says, and what it was compared with. */
export interface ComparedParts {
  parts: PlannedPart[];
  state?: string | undefined;
  /** Of parts that were not all made together: why not, by their names. */
  failures?: Map<string, unknown>;
}

const NONE: ComparedParts = { parts: [] };

/** What belongs to agents and is kept by other services. */
@Injectable()
export class AgentParts {
  constructor(private readonly bus: Bus) {}

  /** Nothing is asked for where the document says nothing. Errors: those of `applyAutomation`. */
  async applyAutomation({ schedules, triggers }: DocumentedAgent, how: Applied): Promise<ComparedParts> {
    if (!isAsked(how, schedules, triggers)) return NONE;
    return this.bus.request(applyAutomation, { ...how, schedules, triggers });
  }

  /** Errors: those of `applyWebhooks`. */
  async applyWebhooks({ webhooks }: DocumentedAgent, how: Applied): Promise<ComparedParts> {
    if (!isAsked(how, webhooks)) return NONE;
    return this.bus.request(applyWebhooks, { ...how, webhooks });
  }

  /** All that an agent has. Errors: SERVICE_UNAVAILABLE. */
  async of(agentId: string): Promise<{ schedules: Schedule[]; triggers: Trigger[]; webhooks: WebhookEndpoint[] }> {
    const [schedules, triggers, { endpoints }] = await Promise.all([
      allPages(async (page) => {
        const found = await this.bus.request(listSchedules, { agentId, page, limit: 100 });
        return { items: found.schedules, pages: found.pagination.totalPages };
      }),
      allPages(async (page) => {
        const found = await this.bus.request(listTriggers, { agentId, page, limit: 100 });
        return { items: found.triggers, pages: found.pagination.totalPages };
      }),
      this.bus.request(listWebhookEndpoints, { agentId }),
    ]);
    const isItsAlone = ({ source, agentIds }: WebhookEndpoint) => source === 'account' && agentIds?.length === 1;
    return { schedules, triggers, webhooks: endpoints.filter(isItsAlone) };
  }
}

function isAsked({ agentId, prune }: Applied, ...parts: (object | undefined)[]): boolean {
  const isNamed = parts.some((part) => Object.keys(part ?? {}).length > 0);
  return isNamed || (prune && agentId !== null);
}

async function allPages<T>(load: (page: number) => Promise<{ items: T[]; pages: number }>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1, pages = 1; page <= pages; page++) {
    const loaded = await load(page);
    all.push(...loaded.items);
    pages = loaded.pages;
  }
  return all;
}
