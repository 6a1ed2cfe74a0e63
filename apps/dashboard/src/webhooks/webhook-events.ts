import type { WebhookEndpoint } from '@roost-ai/sdk';

export type WebhookEvent = WebhookEndpoint['events'][number];

/** When each is sent (docs/guide/webhooks.md). */
export const WEBHOOK_EVENTS: Record<Exclude<WebhookEvent, '*'>, string> = {
  'message.completed': 'A message was answered',
  'message.failed': 'A message was given up, or its reply could not be shown in its chat',
  'agent.error': 'Somebody has to do something: no tokens left, a refused key, a chat bot that is refused',
  'agent.status_changed': 'An agent was started, paused or stopped',
  'agent.deleted': 'An agent is gone',
  'schedule.missed': 'Times of a schedule passed while Roost was down',
  'mcp.authorization_needed': 'An MCP server needs its owner',
  'budget.threshold': 'A budget is used up to one of its thresholds',
  'budget.exhausted': 'A budget is used up',
  'budget.reset': 'A budget begins anew',
  'approval.requested': 'An agent asks before it calls a tool',
  'approval.decided': 'Somebody decided about a call, or it was cancelled',
  'approval.expired': 'Nobody decided about a call in time',
  'vault_secret.created': 'A secret was put in the vault',
  'vault_secret.updated': 'Hosts or another setting of a secret were changed',
  'vault_secret.rotated': 'The value of a secret was set anew',
  'vault_secret.deleted': 'A secret was deleted',
  'vault_grant.created': 'An agent may use a secret',
  'vault_grant.updated': 'A grant asks before each use, or no more',
  'vault_grant.deleted': 'An agent may use a secret no more',
};

export const EVENT_NAMES = Object.keys(WEBHOOK_EVENTS) as (keyof typeof WEBHOOK_EVENTS)[];
