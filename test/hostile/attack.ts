import type { ApiClient } from '#lib/testing';

export interface Target {
  url: string;
  key: string;
  api: ApiClient;
  /** Aborted when the time is over. */
  over: AbortSignal;
  count(answer: string): void;
}

export type Attack = (target: Target) => Promise<void>;

/** Makes an agent, as soon as it is let; undefined when it never is. */
export async function makeAgent({ api, over, count }: Target, name: string): Promise<string | undefined> {
  let answer = 'cut off';
  while (!over.aborted) {
    const made = await api<{ id: string }>('POST', '/v1/agent/create', { name }).catch(() => undefined);
    if (made?.status === 201) return made.body.id;
    if (made?.status === 403) return undefined;
    answer = String(made?.status ?? answer);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  count(`no agent: ${answer}`);
  return undefined;
}

export async function send({ api, count }: Target, agentId: string, content: string): Promise<void> {
  const { status } = await api('POST', `/v1/agent/${agentId}/messages`, { content });
  count(String(status));
}

/** `attempt` again and again by `callers` at once until the time is over, `most` times in all. */
export async function repeat(
  { over, count }: Target,
  { callers, most }: { callers: number; most: number },
  attempt: (n: number) => Promise<number>,
): Promise<void> {
  let begun = 0;
  const caller = async () => {
    while (!over.aborted && begun < most) {
      const answer = await attempt(begun++).then(String, (error: unknown) => codeOf(error));
      count(answer);
      // Refused for the rate: the next second brings more.
      if (answer === '429') await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'cut off';
}
