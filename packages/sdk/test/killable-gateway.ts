import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type TestRoost, until } from '#lib/testing';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A gateway beside the one that a Roost runs: a process of its own, on a port that it has again after a kill. */
export class KillableGateway {
  kills = 0;
  private child: ChildProcess | undefined;

  private constructor(
    private readonly roost: TestRoost,
    private readonly port: number,
    private readonly env: Record<string, string>,
  ) {}

  static async start(roost: TestRoost, env: Record<string, string> = {}): Promise<KillableGateway> {
    const gateway = new KillableGateway(roost, await freePort(), env);
    await gateway.run();
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** kill -9, and a new one; resolves when that answers. */
  async kill(): Promise<void> {
    this.kills += 1;
    await this.end();
    await this.run();
  }

  async end(): Promise<void> {
    const { child } = this;
    if (!child) return;
    this.child = undefined;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  private async run(): Promise<void> {
    const { roost } = this;
    const { PATH, HOME, TMPDIR } = process.env;
    this.child = spawn(process.execPath, [join(root, 'dist/apps/gateway/src/main.js')], {
      env: {
        ...{ PATH, HOME, TMPDIR },
        PORT: String(this.port),
        HOST: '127.0.0.1',
        DATABASE_URL: roost.databaseUrl,
        NATS_URL: roost.natsUrl,
        NATS_CREDS: join(roost.dataDir, 'credentials', 'gateway.creds'),
        ROOST_MASTER_KEY_FILE: join(roost.dataDir, 'master-key'),
        ROOST_LOG_FILE: join(roost.dataDir, 'killable.log'),
        ...this.env,
      },
      stdio: 'ignore',
    });
    await until('the gateway answers', async () => {
      if (this.child?.exitCode) throw new Error(`the gateway ended with ${this.child.exitCode}`);
      return fetch(`${this.url}/health/live`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  }
}
