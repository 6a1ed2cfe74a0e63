import { CONFIG, LOGGER } from '#lib/bus';
import type { Logger } from '#lib/observability';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import type { GatewayConfig } from '../config.js';
import { type Mail, mails } from './mails.js';

const TIMEOUT_MS = 20_000;

/**
 * Sends mail over SMTP. Nobody waits for it: how long a mail takes must not reveal whether an email is known. One that
 * cannot be sent is logged without its text; the user asks for another.
 */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private readonly transport: Transporter | undefined;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    @Inject(CONFIG) private readonly config: GatewayConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
    if (config.SMTP_URL) this.transport = createTransport({ url: config.SMTP_URL, ...timeouts });
  }

  /** Without a mail server the code goes to the log, in development only: there the reader of the log is the user. */
  sendCode(email: string, code: string): void {
    this.sendOrLog(email, mails.verificationCode(code), { verificationCode: code });
  }

  sendResetCode(email: string, code: string): void {
    this.sendOrLog(email, mails.resetCode(code), { passwordResetCode: code });
  }

  sendPasswordChanged(email: string): void {
    this.send(email, mails.passwordChanged());
  }

  sendAccountDeleted(email: string): void {
    this.send(email, mails.accountDeleted());
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
    this.transport?.close();
  }

  private sendOrLog(email: string, mail: Mail, code: Record<string, string>): void {
    if (this.transport) this.send(email, mail);
    else if (this.config.NODE_ENV === 'production')
      this.logger.warn('a code could not be sent: set SMTP_URL, or make accounts with npx roost admin');
    else this.logger.info({ email, ...code }, 'a code for an email; set SMTP_URL to send it by mail');
  }

  private send(to: string, mail: Mail): void {
    if (!this.transport) return;
    const sending = this.transport
      .sendMail({ from: this.config.ROOST_MAIL_FROM, to, ...mail })
      .then(
        () => undefined,
        (error: unknown) => this.logger.error({ reason: reasonOf(error) }, 'a mail could not be sent'),
      )
      .finally(() => this.underWay.delete(sending));
    this.underWay.add(sending);
  }
}

/** The error itself may quote the mail or the server's credentials. */
function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'unknown';
}
