import { type ChildProcess, spawn } from 'node:child_process';

/** Waits on its input, which the kernel closes when the launcher is gone, however it went. POSIX, so macOS has it too. */
const script = 'read -r _; kill -s "$1" "$2" 2>/dev/null';

/**
 * Ends a process by `signal` when this process ends, also by kill -9, after which no code of ours runs. One small shell
 * per process, in a process group of its own so that a signal to ours does not end it first.
 * Returns what to call once the process has ended: its pid may then become another's.
 */
export function endWithLauncher(pid: number, signal: NodeJS.Signals): () => void {
  const watcher = spawn('/bin/sh', ['-c', script, 'roost-watch', signal.slice('SIG'.length), String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a shell the next start ends what was left; the pipe breaks when the watcher is ended below.
  watcher.on('error', () => undefined);
  watcher.stdin?.on('error', () => undefined);
  watcher.unref();
  unrefPipe(watcher);
  return () => void watcher.kill('SIGKILL');
}

/** The pipe alone must not keep the launcher, or a test, from ending. */
function unrefPipe({ stdin }: ChildProcess): void {
  if (stdin && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
}
