import { RoostError } from '#lib/contracts/errors';
import { answeringModel } from './answering-model.js';
import { readOptions } from './options.js';
import { writeLocalProfile } from './local-profile.js';
import { withOwnSettings } from './own-settings.js';
import { onNpmGone } from './npm-parent.js';
import { type Platform, startPlatform } from './platform.js';
import { readyMessage } from './ready-message.js';
import { signInLink } from './sign-in-link.js';

/**
 * The program behind `npm start`; tools/start.mjs installs and builds, then calls this in the same process.
 * Runs until a signal: the first drains and stops everything, a second ends everything at once.
 */
export async function main(args: string[]): Promise<void> {
  // Until everything runs a signal just ends us; servers we started are ended by their exit hooks and recover.
  const endNow = () => process.exit(130);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, endNow);
  // Who read our output may go away before us, as in `npm start | head`. The log in the data folder goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const progress = (line: string) => console.error(line);
  try {
    const options = readOptions(args);
    const environment = withOwnSettings(process.env);
    if (options.printsConfig) {
      const { printPlatformConfig } = await import('./print-config.js');
      console.log(await printPlatformConfig(options, environment));
      return;
    }
    const running: { platform?: Platform } = {};
    let stoppingSince: number | undefined;
    const stop = async (exitCode: number, reason: string) => {
      stoppingSince = Date.now();
      progress(`\n${reason}: finishing work in progress (press Ctrl-C again to end at once) …`);
      await running.platform?.stop();
      progress('Stopped.');
      process.exit(exitCode);
    };
    const onGivenUp = ({ message }: Error) => {
      if (stoppingSince === undefined) void stop(1, `Roost cannot go on. ${message}`).catch(fail);
    };
    const platform = await startPlatform({ ...options, environment, progress, onGivenUp });
    running.platform = platform;
    writeLocalProfile(options.dataDir, platform);

    const { kill } = platform;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.off(signal, endNow);
      process.on(signal, () => {
        if (stoppingSince === undefined) return void stop(0, signal).catch(fail);
        // One Ctrl-C arrives twice under npm: from the terminal, and forwarded by npm itself.
        if (Date.now() - stoppingSince < 500) return;
        kill();
        process.exit(130);
      });
    }
    onNpmGone(() => {
      if (stoppingSince === undefined) void stop(0, 'npm has ended').catch(fail);
    });
    process.on('uncaughtException', (error) => {
      progress(`Unexpected error: ${error.stack ?? error.message}`);
      // The launcher is now in an unknown state: end in order rather than go on with it.
      if (stoppingSince === undefined) void stop(1, 'Unexpected error').catch(fail);
    });

    const [model, link] = await Promise.all([answeringModel(platform), signInLink(platform)]);
    if (stoppingSince === undefined) console.log(readyMessage(platform, { model, link }, options.dataDir));
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  if (error instanceof RoostError) console.error(`Roost: ${error.message}`);
  else console.error(error);
  process.exit(1);
}
