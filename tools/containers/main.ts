/**
 * What the services' image runs: `<service>`, `health` (of the service that runs here), `setup <folder>` (the secrets and bus
 * accounts of a new installation), `database-roles [service]` (the PostgreSQL role of one service or all), or `docker-guard`
 * (the guarded Docker API).
 */
const [command = '', argument] = process.argv.slice(2);

// Each loads what it needs and no more: `health` runs every few seconds in every container.
if (command === 'health') await (await import('./health.js')).checkHealth();
else if (command === 'docker-guard') await (await import('./guard-docker.js')).guardDocker(process.env);
else if (command === 'setup') console.log(await (await import('./setup.js')).setUp(argument ?? '/secrets'));
else if (command === 'database-roles') await makeRolesOrExit();
else await (await import('./run-service.js')).runService(command);

async function makeRolesOrExit(): Promise<void> {
  const { makeRoles } = await import('./make-roles.js');
  await makeRoles(process.env, argument).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
