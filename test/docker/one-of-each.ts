import { apiOf, journey, untilReady } from './journey.js';
import { runCommand } from './run-command.js';
import { seconds } from './seconds.js';
import type { Stack, StackInput } from './stack.js';
import { isolationOf } from './isolation.js';

/** How `libs/bus` begins to log that a service's user may not do what the service does. */
const REFUSED = 'the bus does not let';

export interface OneOfEachInput {
  root: string;
  stack: Stack;
  images: StackInput['images'];
  docker(...args: string[]): Promise<string>;
  say(line: string): void;
}

/**
 * Brings the stack up with one container of each service, lets two agents work in it, inspects their containers, and
 * holds the docker driver to the drivers' suite and to the sandbox probes. Errors: whatever of it does not hold.
 */
export async function tryOneOfEach({ root, stack, images, docker, say }: OneOfEachInput): Promise<void> {
  const startedAt = Date.now();
  await stack.compose('up', '-d');
  const gateway = (await stack.compose('ps', '-q', 'gateway')).trim();
  const network = `${stack.project}_outside`;
  const address = await docker(
    'inspect',
    '-f',
    `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
    gateway,
  );
  const url = `http://${address.trim()}:3000`;
  const readyMs = await untilReady(url, startedAt).catch(async (error: unknown) => {
    say(await stack.compose('ps'));
    say(await stack.compose('logs', '--no-color', '--tail', '20'));
    throw error;
  });
  say(`stack: ready ${seconds(readyMs)} after up`);

  await requireGuide(url);
  say('guide: served');
  const api = apiOf(url, stack.apiKey);
  const agents = [await journey(api, 'hello'), await journey(api, 'goodbye')];
  for (const { agentId, replyMs } of agents) {
    const name = `${stack.project}-agent-${agentId}`;
    say(`agent ${agentId}: replied in ${seconds(replyMs)}, its container's cold start included`);
    say(`  ${await isolationOf(name, docker)}`);
  }
  const refused = (await stack.compose('logs', '--no-color')).split('\n').filter((line) => line.includes(REFUSED));
  if (refused.length > 0) throw new Error(`services lack rights on the bus:\n${refused.join('\n')}`);
  say('bus: every service did its part with its own rights');
  await runCommand(
    'npx',
    ['vitest', 'run', 'apps/agent-lifecycle/src/sandboxes/docker', 'test/egress/docker.spec.ts'],
    {
      cwd: root,
      isShown: true,
      env: {
        ...process.env,
        ROOST_TEST_DOCKER: process.env['DOCKER_HOST'],
        ROOST_TEST_WORKSPACE_IMAGE: images.workspace,
      },
    },
  );
}

/** The image for services brings the guide's pages. Errors: where it does not. */
async function requireGuide(url: string): Promise<void> {
  const page = await fetch(`${url}/docs/guide/`);
  const text = await page.text();
  if (!page.ok || !text.includes('<html') || !/guide/i.test(text))
    throw new Error(`/docs/guide/ answers ${page.status}: ${text.slice(0, 200)}`);
  const { guide } = (await (await fetch(url, { headers: { accept: 'application/json' } })).json()) as {
    guide?: string;
  };
  if (guide !== '/docs/guide/') throw new Error(`GET / names ${String(guide)} as the guide`);
}
