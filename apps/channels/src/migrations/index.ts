import { AnsweredByPreviews1798000000000 } from './answered-by-previews-1798000000000.js';
import { DeliveriesByAgent1797700000000 } from './deliveries-by-agent-1797700000000.js';
import { ApprovalCards1797400000000 } from './approval-cards-1797400000000.js';
import { Audit1797000200000 } from './audit-1797000200000.js';
import { Traceparents1797000100000 } from './traceparents-1797000100000.js';
import { BindingQuota1795900000000 } from './binding-quota-1795900000000.js';
import { Channels1795570000000 } from './channels-1795570000000.js';
import { Files1795580000000 } from './files-1795580000000.js';
import { Memories1795590000000 } from './memories-1795590000000.js';
import { OpenPreviews1797600000000 } from './open-previews-1797600000000.js';
import { OpenQuestions1797500000000 } from './open-questions-1797500000000.js';
import { RefusedDeliveries1795910000000 } from './refused-deliveries-1795910000000.js';
import { SettledByMessages1798200000000 } from './settled-by-messages-1798200000000.js';
import { UnfinishedDeliveries1798300000000 } from './unfinished-deliveries-1798300000000.js';

/** Oldest first. */
export const migrations = [
  Channels1795570000000,
  Files1795580000000,
  Memories1795590000000,
  BindingQuota1795900000000,
  RefusedDeliveries1795910000000,
  Traceparents1797000100000,
  Audit1797000200000,
  ApprovalCards1797400000000,
  OpenQuestions1797500000000,
  OpenPreviews1797600000000,
  DeliveriesByAgent1797700000000,
  AnsweredByPreviews1798000000000,
  SettledByMessages1798200000000,
  UnfinishedDeliveries1798300000000,
];
