import { Injectable } from '@nestjs/common';

/** Says which agents' grants may have changed, in this process or in another replica. */
@Injectable()
export class VaultChanges {
  private readonly listeners: ((agentId: string) => void)[] = [];

  listen(listener: (agentId: string) => void): void {
    this.listeners.push(listener);
  }

  emit(agentId: string): void {
    for (const listener of this.listeners) listener(agentId);
  }
}
