import { FinishedExecutions1797700000000 } from './finished-executions-1797700000000.js';
import { Audit1797000200000 } from './audit-1797000200000.js';
import { Traceparents1797000100000 } from './traceparents-1797000100000.js';
import { Automation1795800000000 } from './automation-1795800000000.js';
import { DeletedAccounts1795710300000 } from './deleted-accounts-1795710300000.js';
import { ExecutionTurns1796100000000 } from './execution-turns-1796100000000.js';
import { Scheduler1795570000000 } from './scheduler-1795570000000.js';
import { Tombstones1795600000000 } from './tombstones-1795600000000.js';

/** Oldest first. */
export const migrations = [
  Scheduler1795570000000,
  Tombstones1795600000000,
  DeletedAccounts1795710300000,
  Automation1795800000000,
  ExecutionTurns1796100000000,
  Traceparents1797000100000,
  Audit1797000200000,
  FinishedExecutions1797700000000,
];
