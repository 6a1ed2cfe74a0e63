import { LostWorkers1797900000000 } from './lost-workers-1797900000000.js';
import { MessagesByChannel1797700000000 } from './messages-by-channel-1797700000000.js';
import { Traceparents1797000100000 } from './traceparents-1797000100000.js';
import { Approvals1797400000000 } from './approvals-1797400000000.js';
import { Budgets1797000400000 } from './budgets-1797000400000.js';
import { CredentialApprovals1797600200000 } from './credential-approvals-1797600200000.js';
import { FairClaims1795710000000 } from './fair-claims-1795710000000.js';
import { WaitingReasons1796000000000 } from './waiting-reasons-1796000000000.js';
import { Messaging1795560000000 } from './messaging-1795560000000.js';
import { Runs1797000200000 } from './runs-1797000200000.js';
import { PinnedVersions1797400300000 } from './pinned-versions-1797400300000.js';
import { Waiting1795900000000 } from './waiting-1795900000000.js';

export const migrations = [
  Messaging1795560000000,
  FairClaims1795710000000,
  Waiting1795900000000,
  WaitingReasons1796000000000,
  Traceparents1797000100000,
  Runs1797000200000,
  Budgets1797000400000,
  Approvals1797400000000,
  PinnedVersions1797400300000,
  CredentialApprovals1797600200000,
  MessagesByChannel1797700000000,
  LostWorkers1797900000000,
];
