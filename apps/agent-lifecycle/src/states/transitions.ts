import { type AgentStatus, RoostError } from '#lib/contracts';

/** What may happen to an agent: three verbs of the API, three values of `POST /status`, and a workspace that keeps failing. */
export const ACTIONS = ['pause', 'resume', 'stop', 'set-active', 'set-paused', 'set-stopped', 'fail'] as const;
export type Action = (typeof ACTIONS)[number];

type Outcome = { to: AgentStatus } | { refusal: string };
const to = (status: AgentStatus): Outcome => ({ to: status });
const refuse = (refusal: string): Outcome => ({ refusal });
const always = (status: AgentStatus) => ({
  active: to(status),
  paused: to(status),
  stopped: to(status),
  error: to(status),
});

/** spec: 00-overview, "Transitions". An outcome equal to the state it starts from changes nothing. */
export const TRANSITIONS: Record<Action, Record<AgentStatus, Outcome>> = {
  pause: {
    active: to('paused'),
    paused: refuse('the agent is already paused'),
    stopped: refuse('only an active agent can be paused; this one is stopped'),
    error: refuse('only an active agent can be paused; this one is in error'),
  },
  resume: {
    active: refuse('the agent is not paused'),
    paused: to('active'),
    stopped: refuse(
      'the agent is not paused; it is stopped: start it with POST /v1/agent/{id}/status and {"status":"active"}',
    ),
    error: to('active'),
  },
  stop: {
    active: to('stopped'),
    paused: to('stopped'),
    stopped: refuse('the agent is already stopped'),
    error: refuse(
      'only an active or paused agent can be stopped; use POST /v1/agent/{id}/status with {"status":"stopped"}',
    ),
  },
  'set-active': always('active'),
  'set-paused': always('paused'),
  'set-stopped': always('stopped'),
  // A stopped agent has no workspace that could fail; what still does is the end of the one it had.
  fail: { active: to('error'), paused: to('error'), stopped: to('stopped'), error: to('error') },
};

/** The state after an action. Errors: VALIDATION_ERROR where the state does not allow it. */
export function nextStatus(from: AgentStatus, action: Action): AgentStatus {
  const outcome = TRANSITIONS[action][from];
  if ('to' in outcome) return outcome.to;
  throw new RoostError('VALIDATION_ERROR', outcome.refusal, [
    { field: 'status', reason: 'transition_not_allowed', status: from },
  ]);
}
