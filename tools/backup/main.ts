import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RoostError } from '#lib/contracts';
import { backup } from './backup.js';
import { restore } from './restore.js';

const help = `Backups of Roost's data folder. Stop Roost first.

  npm run backup  -- --data DIR --to FILE      packs DIR (default ./.roost) into FILE (default roost-DATE.tar.gz)
  npm run restore -- --from FILE --data DIR    unpacks FILE into DIR (default ./.roost), which must be empty or new

A backup holds everything, keys included: keep it as you keep the keys.`;

const [command, ...args] = process.argv.slice(2);
try {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string', default: './.roost' },
      to: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  const dataDir = resolve(values.data);
  if (values.help) console.log(help);
  else if (command === 'backup') {
    const file = resolve(values.to ?? `roost-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.tar.gz`);
    console.log(`Packing ${dataDir} …`);
    await backup(dataDir, file);
    console.log(`${file} (${(statSync(file).size / 2 ** 20).toFixed(1)} MiB) holds everything, keys included.`);
  } else if (values.from === undefined) throw new RoostError('VALIDATION_ERROR', 'Name the backup with --from FILE.');
  else {
    console.log(`Unpacking ${values.from} …`);
    await restore(resolve(values.from), dataDir);
    console.log(`${dataDir} is restored: npm start -- --data ${values.data}`);
  }
} catch (error) {
  console.error(`Roost: ${error instanceof Error ? error.message : String(error)} See --help.`);
  process.exitCode = 1;
}
