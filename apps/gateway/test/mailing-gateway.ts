import { startRoost, type TestRoost } from '#lib/testing';
import { type Mailbox, startMailbox } from './mailbox.js';

/** Who calls: without a token nobody who is signed in, from an address that others of the suite have as well. */
export interface Caller {
  token?: string;
  from?: string;
  headers?: Record<string, string>;
}

/** A gateway that mails to a mailbox, behind a proxy that says who calls. */
export class MailingGateway {
  private addresses = 0;

  private constructor(
    readonly roost: TestRoost,
    readonly box: Mailbox,
  ) {}

  static async start(): Promise<MailingGateway> {
    const box = await startMailbox();
    const env = { SMTP_URL: box.url, ROOST_TRUSTED_PROXIES: '127.0.0.1' };
    return new MailingGateway(await startRoost({ services: ['gateway'], env }), box);
  }

  /** For a caller whom the limits per address of others do not meet. */
  newAddress(): string {
    return `203.0.113.${(this.addresses += 1)}`;
  }

  post<B>(path: string, body: object, { token = '', from = '192.0.2.1', headers = {} }: Caller = {}) {
    return this.roost.api<B>('POST', `/auth/${path}`, body, {
      authorization: token && `Bearer ${token}`,
      'x-forwarded-for': from,
      ...headers,
    });
  }

  async stop(): Promise<void> {
    await this.roost.stop();
    await this.box.stop();
  }
}
