import { AgentGrants } from '../src/credentials/agent-grants.js';
import { ForwardProxy, type ForwardProxyOptions } from '../src/forward-proxy.js';

/** A proxy of an agent without grants. */
export function plainProxy(options: Pick<ForwardProxyOptions, 'guard'> & Partial<ForwardProxyOptions>): ForwardProxy {
  const never = () => Promise.reject(new Error('no agent has a grant here'));
  return new ForwardProxy({
    policy: () => ({ mode: 'public' }),
    onAccess: () => undefined,
    grants: new AgentGrants({ token: never, verdict: never, used: () => undefined, askHoldMs: 0 }),
    tls: { leaves: { of: never }, trust: undefined },
    ...options,
  });
}
