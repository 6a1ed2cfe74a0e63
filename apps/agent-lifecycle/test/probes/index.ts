/** Tries to get out of a sandbox, for any driver: canaries on the host, probes, and a table of what passed. */
export { abuseLimits } from './abuse.js';
export { answeredByGvisor } from './answered-by-gvisor.js';
export { passed, type ProbeResult, probeGroups, probeTable, runProbes } from './run-probes.js';
export { probeFixture } from './probe-fixture.js';
