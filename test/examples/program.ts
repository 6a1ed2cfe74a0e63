import { type ChildProcess, spawn } from 'node:child_process';

export interface Ended {
  code: number | null;
  output: string;
}

/** A program of Node's that a test starts, as a user would: with nothing of the test's own environment. */
export class Program {
  /** What it has written so far, errors too. */
  output = '';
  readonly ended: Promise<Ended>;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (part: string) => (this.output += part));
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, output: this.output })));
  }

  static start(args: string[], { cwd, env }: { cwd: string; env: Record<string, string> }): Program {
    const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
    return new Program(spawn(process.execPath, args, { cwd, env: { PATH, HOME, TMPDIR, ...env }, stdio: 'pipe' }));
  }

  async stop(): Promise<void> {
    this.child.kill();
    await this.ended;
  }
}
