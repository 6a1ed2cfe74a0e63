/**
 * An argument for Node that ends a process of the launcher's when its channel to the launcher closes: the launcher is
 * gone then, even by kill -9, and a service that stayed would hold the port and the leases against the next start.
 */
export const endWithParent = `--import=data:text/javascript,process.once("disconnect",()=>process.exit(1))`;
