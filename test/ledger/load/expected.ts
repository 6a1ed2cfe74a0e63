/** Things of which each is announced and arrives, in either order: how many were announced and have not arrived. */
export class Expected {
  private readonly announced = new Set<string>();
  private readonly early = new Set<string>();

  announce(id: string): void {
    if (!this.early.delete(id)) this.announced.add(id);
  }

  arrive(id: string): void {
    if (!this.announced.delete(id)) this.early.add(id);
  }

  get missing(): number {
    return this.announced.size;
  }
}
