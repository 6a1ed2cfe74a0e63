/**
 * Loaded before a service that the launcher runs as a process. The channel to the launcher closes when the launcher is
 * gone, even by kill -9; a service that stayed would hold the port and the leases against the next start.
 */
process.once('disconnect', () => process.exit(1));
