import { type FromEgress, ToEgress } from '#lib/contracts';
import { EgressProcess } from './egress-process.js';

/** An error's own text may quote what a request held: only where it came from is written down. */
function die(error: unknown): never {
  const { name, code, stack } = (error instanceof Error ? error : new Error('unknown')) as NodeJS.ErrnoException;
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  process.stderr.write(`${name} ${code ?? ''} ${frames.slice(0, 5).join(' ')}\n`);
  process.exit(1);
}

process.on('uncaughtException', die);
process.on('unhandledRejection', die);
// Without its parent it would serve nobody: whoever starts the parent again has another of this.
process.on('disconnect', () => process.exit(0));
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined); // the parent ends, then this

const egress = new EgressProcess((message: FromEgress) => {
  if (process.connected) process.send?.(message);
});
process.on('message', (message) => {
  void Promise.resolve(ToEgress.parse(message))
    .then((parsed) => egress.take(parsed))
    .catch(die);
});
