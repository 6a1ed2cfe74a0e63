/**
 * `npm start`: works on a fresh clone with Node and npm only. Installs and builds what is missing, then runs the launcher
 * in this same process. Plain JavaScript without dependencies; npm runs it by tools/node, under Node 24.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const help = `Roost: a home for always-on AI agents.

  npm start -- [options]

  --port PORT    where the API listens (default 3000; 0 takes a free port)
  --host HOST    on which address (default 127.0.0.1; 0.0.0.0 opens it to the network)
  --data DIR     where everything is kept (default ./.roost)
  --processes    one process per service instead of one for all
  --replicas S=N N processes of the service S, e.g. agent-runtime=2 (repeatable; implies --processes)
  --verbose      the services' log on the terminal too, for people; DIR/logs/roost.log is JSON
  --print-config print the settings that the services would use, secrets masked, and start nothing
  --version      print the version
  --help         print this

Environment: DATABASE_URL and NATS_URL use servers of yours instead of starting them.
ANTHROPIC_API_KEY, OPENAI_API_KEY, GOOGLE_API_KEY or OPENAI_BASE_URL give agents a real model instead of the built-in demo.`;

const args = process.argv.slice(2);

if (args.includes('--help') || args.includes('-h')) {
  console.log(help);
} else if (args.includes('--version')) {
  console.log(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version);
} else if (Number.parseInt(process.versions.node) < 24) {
  continueUnderNode24();
} else {
  await start();
}

/** For `node tools/start.mjs` by an older Node, which stays as the parent: unlike a shell, Node 20 cannot become another program. */
function continueUnderNode24() {
  const [program, script] = ['./node', './start.mjs'].map((name) => fileURLToPath(new URL(name, import.meta.url)));
  const child = spawn(program, [script, ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => process.exit(code ?? 1));
}

async function start() {
  try {
    const { ensureBuilt } = await import('./ensure-built.mjs');
    await ensureBuilt();
  } catch (error) {
    console.error(`Roost: ${error.message}`);
    process.exit(1);
  }
  await import('./load-modules.mjs');
  const { main } = await import('../dist/tools/launcher/main.js');
  await main(args);
}
