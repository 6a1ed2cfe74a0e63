/** The kinds of isolation by their names in ROOST_WORKSPACE_DRIVER: a folder each. */
export const driverNames = ['local', 'docker', 'kubernetes'] as const;
export type DriverName = (typeof driverNames)[number];

/** What makes local sandboxes, by its name in ROOST_LOCAL_RUNTIME. */
export const localRuntimeNames = ['bubblewrap', 'runsc'] as const;
export type LocalRuntimeName = (typeof localRuntimeNames)[number];
