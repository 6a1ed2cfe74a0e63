import type { WebClient } from '@slack/web-api';

const MAX_PEOPLE = 1_000;
const CACHE_MS = 3_600_000;
/** An event must be acknowledged within three seconds: a name is not worth more of them. */
const WAIT_MS = 1_000;

export interface SlackPerson {
  username: string | null;
  displayName: string;
}

/** Who stands behind a user id, remembered for an hour; without the scope `users:read` only the id is known. */
export class SlackPeople {
  private readonly known = new Map<string, { person: Promise<SlackPerson>; at: number }>();

  constructor(private readonly client: WebClient) {}

  async find(userId: string): Promise<SlackPerson> {
    const cached = this.known.get(userId);
    const person = cached && Date.now() - cached.at < CACHE_MS ? cached.person : this.ask(userId);
    const nobody = { username: null, displayName: userId };
    const late = new Promise<SlackPerson>((resolve) => setTimeout(() => resolve(nobody), WAIT_MS).unref());
    return Promise.race([person.catch(() => nobody), late]);
  }

  private ask(userId: string): Promise<SlackPerson> {
    if (this.known.size >= MAX_PEOPLE) this.known.clear();
    const person = this.client.users.info({ user: userId }).then(({ user }) => {
      const displayName = user?.profile?.display_name || user?.profile?.real_name || user?.name || userId;
      return { username: user?.name ?? null, displayName };
    });
    this.known.set(userId, { person, at: Date.now() });
    person.catch(() => this.known.delete(userId));
    return person;
  }
}
