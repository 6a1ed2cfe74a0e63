import { Sealer } from '#lib/auth';
import type pg from 'pg';
import { fillChannels } from './channels.js';
import { fillLifecycle, makeAgents } from './agents.js';
import { fillGateway, makeAccounts } from './accounts.js';
import { fillConversations, fillMessages, fillMessagingAgents, fillTurns } from './messages.js';
import { fillRuntime, fillUsage } from './runs.js';
import { fillScheduler } from './schedules.js';
import type { Sizes } from './sizes.js';
import { fillWebhooks } from './webhooks.js';

export interface Filling {
  database: pg.Client;
  sizes: Sizes;
  sealer: Sealer;
  /** Of the account that is there from the start, whose key is in the data folder: it becomes the largest. */
  localAccount: string;
  /** What a new agent's sealed secrets say. */
  secrets: string;
  /** Where webhooks go. */
  receiverUrl: string;
  log(line: string): void;
}

/** In this order; each is one transaction, or finds by itself what it has done. */
export const steps: Record<string, (filling: Filling) => Promise<void>> = {
  accounts: makeAccounts,
  agents: makeAgents,
  gateway: fillGateway,
  lifecycle: fillLifecycle,
  messages: fillMessages,
  conversations: fillConversations,
  'agents of messaging': fillMessagingAgents,
  turns: fillTurns,
  runtime: fillRuntime,
  usage: fillUsage,
  scheduler: fillScheduler,
  webhooks: fillWebhooks,
  channels: fillChannels,
};
