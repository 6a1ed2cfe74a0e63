import type { EgressPolicy } from '#lib/contracts';

export type Verdict = { isAllowed: true } | { isAllowed: false; reason: string };

const setting = 'The setting is configuration.network of the agent.';

/**
 * Whether an agent's own setting lets it reach a host. Whether the host's addresses may be reached at all is decided
 * by the guard. `host` is in the form a URL gives: lower case, punycode, with brackets.
 */
export function judge({ mode, allow = [] }: EgressPolicy, host: string, port: number): Verdict {
  if (mode === 'none') return { isAllowed: false, reason: `This agent has no network (mode "none"). ${setting}` };
  if (port !== 80 && port !== 443 && port < 1_024) {
    return { isAllowed: false, reason: `Port ${port} may not be reached, only 80, 443 and those from 1024.` };
  }
  if (mode === 'public' || allow.some((entry) => matches(entry, host, port))) return { isAllowed: true };
  return { isAllowed: false, reason: `${host}:${port} is not on this agent's allowlist. ${setting}` };
}

/** `example.org`, `*.example.org` (what is below it, not itself), either with `:port`; without one, 80 and 443. */
function matches(entry: string, host: string, port: number): boolean {
  const [, name = '', wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry.trim().toLowerCase()) ?? [];
  if (wantedPort === undefined ? port !== 80 && port !== 443 : Number(wantedPort) !== port) return false;
  const plain = host.replace(/\.$/, '');
  return name.startsWith('*.') ? plain.endsWith(name.slice(1)) : plain === name;
}
