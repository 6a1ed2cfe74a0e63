import { Strategy } from 'passport';
import type { Presented } from '../strategies.js';
import type { BrowserSessions } from './browser-sessions.js';

/** Lets in whoever presents the cookie of a session that has not ended. */
export class BrowserSessionStrategy extends Strategy {
  constructor(private readonly sessions: BrowserSessions) {
    super();
  }

  override authenticate(presented: unknown): void {
    this.sessions.identify((presented as Presented).credential).then(
      (found) => (found ? this.success(found) : this.fail('the session is unknown or has ended')),
      (error: unknown) => this.error(error),
    );
  }
}
