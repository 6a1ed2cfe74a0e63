import { Attempts1796700000000 } from './attempts-1796700000000.js';
import { McpHealth1796010000000 } from './mcp-health-1796010000000.js';
import { Audit1797000200000 } from './audit-1797000200000.js';
import { DeletedAccounts1795710300000 } from './deleted-accounts-1795710300000.js';
import { DeletedAgents1798000200000 } from './deleted-agents-1798000200000.js';
import { EndedSessions1797700000000 } from './ended-sessions-1797700000000.js';
import { OwnMcpServers1797400300000 } from './own-mcp-servers-1797400300000.js';
import { Mcp1795550100000 } from './mcp-1795550100000.js';
import { Sessions1795550000000 } from './sessions-1795550000000.js';
import { TurnEnds1795560000000 } from './turn-ends-1795560000000.js';
import { SuspendedTurns1797400000000 } from './suspended-turns-1797400000000.js';
import { Versions1797100000000 } from './versions-1797100000000.js';

/** Oldest first. */
export const migrations = [
  Sessions1795550000000,
  Mcp1795550100000,
  TurnEnds1795560000000,
  DeletedAccounts1795710300000,
  McpHealth1796010000000,
  Attempts1796700000000,
  Audit1797000200000,
  Versions1797100000000,
  SuspendedTurns1797400000000,
  OwnMcpServers1797400300000,
  EndedSessions1797700000000,
  DeletedAgents1798000200000,
];
