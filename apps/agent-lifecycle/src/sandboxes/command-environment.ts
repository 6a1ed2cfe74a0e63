const PATH = '/workspace/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The daemon's port that leads to the egress proxy (apps/workspace/src/egress-port.ts). */
const proxyUrl = 'http://127.0.0.1:3128';
const local = 'localhost,127.0.0.1,::1';
/** Programs disagree about the case; curl reads http_proxy in lower case only. */
const proxySettings = {
  HTTP_PROXY: proxyUrl,
  HTTPS_PROXY: proxyUrl,
  http_proxy: proxyUrl,
  https_proxy: proxyUrl,
  NO_PROXY: local,
  no_proxy: local,
  // Node 24 and later then use the proxy for fetch too.
  NODE_USE_ENV_PROXY: '1',
};

/**
 * Environment of the agent's commands, the same whatever the sandbox is made of; `custom` wins except where it would
 * break the sandbox's plumbing. `programs` is a folder of programs besides the system's.
 */
export function commandEnvironment(custom: Record<string, string>, programs?: string): Record<string, string> {
  return {
    PATH: programs === undefined ? PATH : `${programs}:${PATH}`,
    HOME: '/workspace',
    USER: 'agent',
    LOGNAME: 'agent',
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    TMPDIR: '/tmp',
    // The system is read-only here: what the agent installs goes into its volume and can break no package of the system's.
    PIP_BREAK_SYSTEM_PACKAGES: '1',
    ...custom,
    ...proxySettings,
  };
}
