import type { Trigger } from '#lib/contracts';

export interface TriggerRow {
  id: string;
  account_id: string;
  agent_id: string;
  name: string;
  message_template: string;
  enabled: boolean;
  secret: string;
  previous_secret: string | null;
  previous_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

export function toTrigger(row: TriggerRow, publicUrl: string): Trigger {
  return {
    uuid: row.id,
    id: row.id,
    agentUuid: row.agent_id,
    name: row.name,
    messageTemplate: row.message_template,
    enabled: row.enabled,
    webhookUrl: `${publicUrl.replace(/\/+$/, '')}/v1/webhooks/triggers/${row.id}`,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Where a trigger's secrets are sealed for. */
/** The columns that hold secrets, for a change of the master key. */
export const sealedTriggerSecrets = ['secret', 'previous_secret'].map((column) => ({
  table: 'triggers',
  column,
  id: 'id::text',
  place: 'triggers',
}));

export const secretPlace = (triggerId: string) => `triggers:${triggerId}`;
