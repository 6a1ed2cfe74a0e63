const loadModules = import.meta.url.replace(/(\/dist)?\/tools\/launcher\/.*$/, '/tools/load-modules.mjs');

/** Arguments for Node of every process that the launcher starts from our code. */
export const processFlags = [
  /**
   * Ends the process when its channel to the launcher closes: the launcher is gone then, even by kill -9, and a service
   * that stayed would hold the port and the leases against the next start.
   */
  '--import=data:text/javascript,process.once("disconnect",()=>process.exit(1))',
  `--import=${loadModules}`,
];
