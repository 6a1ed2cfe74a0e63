import { Socket } from 'node:net';

/**
 * A socket that sends at once what was written, corked as pg does it, before the loop turns. A transaction's BEGIN and its
 * first statement, or its last and COMMIT, would else wake the server twice: small writes were a quarter of a turn.
 */
export class GatheringSocket extends Socket {
  private isGathering = false;

  override cork(): void {
    super.cork();
    if (this.isGathering) return;
    this.isGathering = true;
    super.cork();
    process.nextTick(() => {
      this.isGathering = false;
      this.uncork();
    });
  }
}
