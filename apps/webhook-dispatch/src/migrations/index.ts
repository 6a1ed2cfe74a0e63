import { Audit1797000200000 } from './audit-1797000200000.js';
import { Traceparents1797000100000 } from './traceparents-1797000100000.js';
import { DeletedAccounts1795710300000 } from './deleted-accounts-1795710300000.js';
import { DeletedAgents1795710600000 } from './deleted-agents-1795710600000.js';
import { DueDeliveries1797700000000 } from './due-deliveries-1797700000000.js';
import { Queue1795700000000 } from './queue-1795700000000.js';
import { Undelivered1797800000000 } from './undelivered-1797800000000.js';
import { Webhooks1795560000000 } from './webhooks-1795560000000.js';

/** Oldest first. */
export const migrations = [
  Webhooks1795560000000,
  Queue1795700000000,
  DeletedAccounts1795710300000,
  DeletedAgents1795710600000,
  Traceparents1797000100000,
  Audit1797000200000,
  DueDeliveries1797700000000,
  Undelivered1797800000000,
];
