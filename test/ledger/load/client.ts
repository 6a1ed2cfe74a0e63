import { apiClient, type ApiClient, until } from '#lib/testing';

/** Of the gateways: requests go to one after the other. */
export interface Access {
  urls: string[];
  apiKey: string;
}

const FAULTS_OVER_MS = 90_000;

/** The API as a client sees it that is far from the faults: it goes from gateway to gateway, and tries again. */
export class Client {
  private calls = 0;

  constructor(readonly access: Access) {}

  get nextUrl(): string {
    const { urls } = this.access;
    return urls[this.calls++ % urls.length] ?? '';
  }

  readonly once: ApiClient = (...call) => apiClient(this.nextUrl, this.access.apiKey)(...call);

  /** Until it has a 2xx: for requests that say the same again. */
  async ask<Body>(method: string, path: string, body?: object): Promise<Body> {
    let last = 'no answer';
    const asked = async () => {
      const answer = await this.once<Body>(method, path, body).catch((error: unknown) => void (last = String(error)));
      if (answer && answer.status >= 300) last = `${answer.status} ${JSON.stringify(answer.body)}`;
      return answer && answer.status < 300 && answer;
    };
    try {
      return (await until(`${method} ${path}`, asked, { timeoutMs: FAULTS_OVER_MS, everyMs: 300 })).body;
    } catch (error) {
      throw new Error(`${String(error)}: ${last}`, { cause: error });
    }
  }
}
