import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '#lib/config';
import { type TcpLink, until } from '#lib/testing';
import { type ServiceProcess, type ServicesLog, superviseServices } from '#tools/launcher';
import type { Build } from './builds.js';

export interface SlotOptions {
  service: string;
  replica: number;
  nodeFlags: string[];
  environment: Environment;
  build: Build;
  links: { postgres: TcpLink; nats: TcpLink };
  /** Holds what libfaketime adds to the clock; absent where there is none. */
  clockFile: string | undefined;
  servicesLog: ServicesLog;
  onGivenUp(reason: Error): void;
}

/** What is stopped while it starts begins anew. */
const COMES_BACK_MS = 240_000;

/** One of a service's processes: started again when it ends, from the build that it has then. */
export class ServiceSlot {
  private process: ServiceProcess | undefined;
  private starts = 0;
  private build: Build;

  private constructor(private readonly options: SlotOptions) {
    this.build = options.build;
  }

  static async start(options: SlotOptions): Promise<ServiceSlot> {
    const slot = new ServiceSlot(options);
    const { service, nodeFlags, environment, servicesLog, onGivenUp } = options;
    slot.setClock(0);
    slot.process = await superviseServices({
      name: slot.name,
      source: service,
      // Asked at each start: it may be another build by then.
      get nodeArguments() {
        return [...nodeFlags, join(slot.build.root, 'dist', 'apps', service, 'src', 'main.js')];
      },
      environment,
      servicesLog,
      log: (line) => {
        if (line.endsWith('runs again')) slot.starts += 1;
      },
      onGivenUp,
    });
    return slot;
  }

  get service(): string {
    return this.options.service;
  }

  get name(): string {
    return `${this.options.service}.${this.options.replica}`;
  }

  get links(): SlotOptions['links'] {
    return this.options.links;
  }

  get buildName(): string {
    return this.build.name;
  }

  /** Stops it as an update does (SIGTERM, it drains) and waits until its successor is ready. */
  async replace(build: Build): Promise<void> {
    this.build = build;
    const [pid, starts] = [this.process?.pid, this.starts];
    if (pid !== undefined) process.kill(pid, 'SIGTERM');
    await until(`${this.name} runs again`, () => this.starts > starts, { timeoutMs: COMES_BACK_MS, everyMs: 50 });
  }

  /** Sets its clock off by so much, at most a second from now. */
  setClock(seconds: number): void {
    const { clockFile } = this.options;
    if (clockFile !== undefined) writeFileSync(clockFile, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  }

  /** MB; 0 while it does not run. */
  get residentMb(): number {
    try {
      const status = readFileSync(`/proc/${this.process?.pid ?? 0}/status`, 'utf8');
      return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024);
    } catch {
      return 0;
    }
  }

  kill(): void {
    if (this.process?.pid !== undefined) process.kill(this.process.pid, 'SIGKILL');
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }
}
