import { runUntilStopped } from '#lib/bus';
import { services } from '../launcher/services.js';
import { checkHealth } from './health.js';
import { guardDocker } from './guard-docker.js';
import { setUp } from './setup.js';

/**
 * What the services' image runs: `<service>`, `health` (of the service that runs here), `setup <folder>` (the secrets and bus
 * accounts of a new installation), or `docker-guard` (the door to Docker).
 */
const [command = '', argument = '/secrets'] = process.argv.slice(2);
const service = services.find(({ name }) => name === command);

if (service) {
  const { start } = await service.load();
  runUntilStopped(start(process.env));
} else if (command === 'health') await checkHealth();
else if (command === 'docker-guard') await guardDocker(process.env);
else if (command === 'setup') console.log(await setUp(argument));
else {
  console.error(
    `not a command: ${command}; one of ${services.map(({ name }) => name).join(', ')}, health, setup, docker-guard`,
  );
  process.exitCode = 2;
}
