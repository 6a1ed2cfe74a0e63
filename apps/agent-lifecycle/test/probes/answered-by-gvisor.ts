/**
 * Probes that succeed in gVisor by what its own kernel makes up or counts, and why that is no way out and takes nothing
 * from the host or from others. By name.
 */
export const answeredByGvisor: Readonly<Record<string, string>> = {
  'read the parent’s environment': 'nothing secret is in it',
  'read the parent’s memory map': 'addresses only: the memory itself is closed',
  'list the parent’s handles': 'their names only: none that is not the agent’s can be opened',
  'open the first process’s environ': 'nothing secret is in it',
  'open the first process’s maps': 'addresses only: the memory itself is closed',
  'open the first process’s auxv': 'addresses only: the memory itself is closed',
  'list the first process’s handles': 'their names only: none can be opened',
  'be spared when memory runs out': 'a number that nobody reads: the host’s control group ends the whole sandbox',
  'listen on a port of the system': 'on a loopback that no one else sees',
  'processor time': 'as gVisor counts it: the host’s control group holds what is really used',
};
