/**
 * Lets a turn's reading tools run side by side and its changing tools one at a time, in the order in which the
 * model called them: a command must not run beside the write it depends on.
 */
export class ToolLock {
  private lastChange: Promise<unknown> = Promise.resolve();
  private reads = new Set<Promise<unknown>>();

  read<T>(work: () => Promise<T>): Promise<T> {
    const run = this.lastChange.then(work);
    const ended = run.catch(() => undefined).finally(() => this.reads.delete(ended));
    this.reads.add(ended);
    return run;
  }

  change<T>(work: () => Promise<T>): Promise<T> {
    const run = Promise.all([this.lastChange, ...this.reads]).then(work);
    this.lastChange = run.catch(() => undefined);
    return run;
  }
}
