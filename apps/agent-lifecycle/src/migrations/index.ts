import { AgentTotals1797900000000 } from './agent-totals-1797900000000.js';
import { RemovedVolumes1797700000000 } from './removed-volumes-1797700000000.js';
import { Audit1797000200000 } from './audit-1797000200000.js';
import { DeletedAccounts1795710300000 } from './deleted-accounts-1795710300000.js';
import { AwakeWorkspaces1796100000000 } from './awake-workspaces-1796100000000.js';
import { UsageSums1797300100000 } from './usage-sums-1797300100000.js';
import { Usage1797000300000 } from './usage-1797000300000.js';
import { Agents1795560000000 } from './agents-1795560000000.js';
import { Bots1795600000000 } from './bots-1795600000000.js';
import { Drafts1797400300000 } from './drafts-1797400300000.js';
import { EgressAuthority1797500000000 } from './egress-authority-1797500000000.js';
import { NewBudgets1797200000000 } from './new-budgets-1797200000000.js';
import { Versions1797300000000 } from './versions-1797300000000.js';
import { Vault1797500200000 } from './vault-1797500200000.js';
import { AwakeStarts1798000000000 } from './awake-starts-1798000000000.js';
import { ProviderKeys1795560400000 } from './provider-keys-1795560400000.js';

/** Oldest first. */
export const migrations = [
  Agents1795560000000,
  ProviderKeys1795560400000,
  Bots1795600000000,
  DeletedAccounts1795710300000,
  AwakeWorkspaces1796100000000,
  Audit1797000200000,
  Usage1797000300000,
  NewBudgets1797200000000,
  Versions1797300000000,
  UsageSums1797300100000,
  Drafts1797400300000,
  EgressAuthority1797500000000,
  Vault1797500200000,
  RemovedVolumes1797700000000,
  AgentTotals1797900000000,
  AwakeStarts1798000000000,
];
