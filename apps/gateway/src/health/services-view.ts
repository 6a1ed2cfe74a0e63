import { wire } from '#lib/contracts';
import { z } from 'zod';

/** All services behind the API. */
export const SERVICES = [
  'agent-lifecycle',
  'messaging',
  'agent-runtime',
  'scheduler',
  'webhook-dispatch',
  'channels',
] as const;

const state = z.enum(['up', 'down']);
export const ServiceHealthView = wire({
  name: z.string().describe('The service.'),
  state: state.describe('`down`: it does not answer, or something that it needs is away.'),
  dependencies: z.record(z.string(), state).describe('What it needs, and how that is.'),
  details: z.record(z.string(), z.string()).optional().describe('How it does its work on this machine.'),
}).meta({ id: 'ServiceHealth', description: 'How a service is.' });
