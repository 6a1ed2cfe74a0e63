import type { SessionInfo } from '@discordjs/ws';
import type { ConnectionMemory } from '../adapters/channel-adapter.js';

const SAVE_MS = 1_000;

/**
 * The gateway sessions of one bot, stored beyond this process, so that the next holder resumes them and receives what
 * happened in between. A sequence number is stored only when every event up to it is safe: what was received but not yet
 * stored is received again.
 */
export class DiscordSessions {
  private readonly current = new Map<number, SessionInfo>();
  /** Sessions that the SDK gave up; see `forget`. */
  private readonly doubtful = new Map<number, SessionInfo>();
  private readonly unsafe = new Map<number, Set<number>>();
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();
  private isClosed = false;

  private constructor(
    private readonly memory: ConnectionMemory | undefined,
    private readonly complain: (error: unknown) => void,
  ) {}

  static async load(
    memory: ConnectionMemory | undefined,
    complain: (error: unknown) => void,
  ): Promise<DiscordSessions> {
    const sessions = new DiscordSessions(memory, complain);
    const text = await memory?.load();
    if (text) for (const info of JSON.parse(text) as SessionInfo[]) sessions.current.set(info.shardId, info);
    return sessions;
  }

  retrieve(shardId: number, gatewayUrl: string | undefined): SessionInfo | null {
    const doubtful = this.doubtful.get(shardId);
    // The address to resume at may be what failed.
    if (doubtful) return { ...doubtful, ...(gatewayUrl ? { resumeURL: gatewayUrl } : {}) };
    return this.current.get(shardId) ?? null;
  }

  update(shardId: number, info: SessionInfo | null): void {
    if (this.isClosed) return;
    if (!info) return this.forget(shardId);
    this.doubtful.delete(shardId);
    this.current.set(shardId, info);
    this.saveSoon();
  }

  /**
   * The SDK drops a session when its socket was reset as well as when Discord calls it invalid, and events would be
   * lost with it. So it is tried once more; what is really invalid is refused again, and then it is gone.
   */
  private forget(shardId: number): void {
    const info = this.current.get(shardId);
    this.current.delete(shardId);
    if (info) this.doubtful.set(shardId, info);
    else this.doubtful.delete(shardId);
  }

  resumed(shardId: number): void {
    const info = this.doubtful.get(shardId);
    if (info) this.update(shardId, info);
  }

  begin(shardId: number, sequence: number): void {
    let open = this.unsafe.get(shardId);
    if (!open) this.unsafe.set(shardId, (open = new Set()));
    open.add(sequence);
  }

  end(shardId: number, sequence: number): void {
    this.unsafe.get(shardId)?.delete(sequence);
    this.saveSoon();
  }

  private saveSoon(): void {
    if (!this.memory) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.save();
    }, SAVE_MS);
  }

  private save(): void {
    const text = JSON.stringify(
      [...this.current.values()].map((info) => {
        const open = this.unsafe.get(info.shardId);
        return open?.size ? { ...info, sequence: Math.min(info.sequence, Math.min(...open) - 1) } : info;
      }),
    );
    this.saving = this.saving.then(() => this.memory?.save(text)).catch(this.complain);
  }

  /** Nothing changes any more: closing the sockets must not drop the sessions. */
  freeze(): void {
    this.isClosed = true;
  }

  /** Saves the last state. */
  async close(): Promise<void> {
    this.freeze();
    clearTimeout(this.timer);
    if (this.current.size > 0) this.save();
    await this.saving;
  }
}
