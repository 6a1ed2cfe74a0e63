import { runUntilStopped } from '#lib/bus';
import { services } from '../launcher/services.js';

/** Runs a service until the process is asked to stop; ends with code 2 when there is none of that name. */
export async function runService(name: string): Promise<void> {
  const service = services.find((one) => one.name === name);
  if (!service) {
    const names = services.map((one) => one.name).join(', ');
    console.error(`not a command: ${name}; one of ${names}, health, setup, docker-guard`);
    process.exitCode = 2;
    return;
  }
  const { start } = await service.load();
  runUntilStopped(start(process.env));
}
