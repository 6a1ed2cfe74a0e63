import type { Bench } from './runner/bench.js';

export interface BenchEntry {
  name: string;
  /** What it measures, for `npm run bench -- list`. */
  about: string;
  /** Whether it runs when none is chosen: all of those take less than three minutes. */
  isDefault: boolean;
  /** Whether it runs in a network with nothing but a loopback, because it starts what others wrote. */
  isClosed?: boolean;
  load(): Promise<Bench>;
}

/** Every bench, one line each. */
export const benches: BenchEntry[] = [
  {
    name: 'accept',
    about: 'accepted messages/s over HTTP, beside a minimal fastify + pg server on the same Postgres',
    isDefault: true,
    load: () => import('./accept.js'),
  },
  {
    name: 'turn-overhead',
    about: 'message accepted → reply stored with a model that answers at once; statements and bus messages per turn',
    isDefault: true,
    load: () => import('./turn-overhead.js'),
  },
  {
    name: 'turns',
    about: 'turns/s with 20 callers, each waiting for its reply before the next message',
    isDefault: true,
    load: () => import('./turns.js'),
  },
  {
    name: 'many-agents',
    about: '1,000 agents with one message waiting each: all answered, turns/s',
    isDefault: true,
    load: () => import('./many-agents.js'),
  },
  {
    name: 'agents',
    about: '1,000 idle agents: processes they cost, list and summary among them',
    isDefault: true,
    load: () => import('./agents.js'),
  },
  {
    name: 'turn-cost',
    about: "agent-runtime's own time per turn with 0 and 3 tool calls, the rest of Roost played by a stand-in",
    isDefault: true,
    load: () => import('./turn-cost.js'),
  },
  {
    name: 'langgraph',
    about: "the same echo turn through LangGraph's JS development server and through Roost",
    isDefault: false,
    isClosed: true,
    load: () => import('./langgraph.js'),
  },
  {
    name: 'scheduler',
    about: 'firing of due schedules under load, and under kill -9',
    isDefault: false,
    load: () => import('./scheduler.js'),
  },
  {
    name: 'webhooks',
    about: 'deliveries/s beside raw undici and pg-boss',
    isDefault: false,
    load: () => import('./webhooks.js'),
  },
  {
    name: 'workspaces',
    about: 'cold wake, memory, small reads and large files of local workspaces',
    isDefault: false,
    load: () => import('./workspaces.js'),
  },
  {
    name: 'interrupts',
    about: 'interrupts of a running command, the worker in another process: until it is gone and reported',
    isDefault: false,
    load: () => import('./interrupts.js'),
  },
  {
    name: 'event-streams',
    about: '2,000 open event streams over gateway restarts: gaps, doubles, memory; readers that do not read',
    isDefault: false,
    load: () => import('./event-streams.js'),
  },
  {
    name: 'runs',
    about: '1,000,000 runs of 1,000 agents: lists, one run, usage by day',
    isDefault: false,
    load: () => import('./runs.js'),
  },
  {
    name: 'dashboard',
    about:
      'the dashboard in Chromium: first answer, interactive on a slow processor, 10,000 messages and 100,000 files scrolled',
    isDefault: false,
    load: () => import('./dashboard.js'),
  },
  {
    name: 'suspended',
    about: '10,000 turns that wait for a person: what they cost, and how fast approvals are listed',
    isDefault: false,
    load: () => import('./suspended.js'),
  },
  {
    name: 'large-files',
    about: '1 GiB up and down over HTTP; memory that gateway and daemon take for it',
    isDefault: false,
    load: () => import('./large-files.js'),
  },
  {
    name: 'egress',
    about: '1 GiB up and down over TLS through the egress process, against directly; memory that it takes for it',
    isDefault: false,
    load: () => import('./egress.js'),
  },
  {
    name: 'bad-neighbour',
    about: "file requests of one agent while another's commands take all they can get",
    isDefault: false,
    load: () => import('./bad-neighbour.js'),
  },
];
