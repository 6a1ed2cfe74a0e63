import { diskBomb, forkBomb, memoryBomb, sleepers, stderrFlood } from './attacks-by-agents.js';
import { eventStreams, slowBodies, slowReceiver } from './attacks-by-connections.js';
import {
  archives,
  deepJson,
  hugeDemands,
  largeUploads,
  massCreation,
  messageFlood,
  payloadBomb,
} from './attacks-by-requests.js';
import type { Attack } from './attack.js';

/** All run at once. */
export const attacks: Record<string, Attack> = {
  'agents that sleep': sleepers,
  'fork bomb': forkBomb,
  'memory bomb': memoryBomb,
  'disk bomb': diskBomb,
  'stderr flood': stderrFlood,
  'event streams': eventStreams,
  'half-sent bodies': slowBodies,
  'webhooks to a slow receiver': slowReceiver,
  messages: messageFlood,
  'deep JSON': deepJson,
  'trigger payloads': payloadBomb,
  'large uploads': largeUploads,
  archives,
  'huge demands': hugeDemands,
  'mass creation': massCreation,
};
