import passport, { type Strategy } from 'passport';
import { Strategy as JwtStrategy, type StrategyOptionsWithoutRequest } from 'passport-jwt';

/** What passport's strategies are given in place of a web framework's request. */
export interface Presented {
  /** As it came: an API key or a token. */
  credential: string;
  /** The key to verify the token by, where it was found before. */
  key?: import('node:crypto').KeyObject | undefined;
}

/** Runs passport's strategies by name, without Express: a request is what was presented, and nothing is sent. */
export class Strategies {
  private readonly passport = new passport.Passport();

  use(name: string, strategy: Strategy): void {
    this.passport.use(name, strategy);
  }

  /** What the strategy's verification gave; undefined where it refuses. Errors: those of the verification. */
  run<T>(name: string, presented: Presented): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, result?: T | false) => {
        if (error) reject(error instanceof Error ? error : new Error('the verification failed', { cause: error }));
        else resolve(result || undefined);
      };
      const handle = this.passport.authenticate(name, { session: false }, done) as unknown as (
        request: object,
        response: object,
        next: (error?: unknown) => void,
      ) => void;
      handle({ ...presented }, {}, done);
    });
  }
}

type JwtRules = Pick<StrategyOptionsWithoutRequest, 'algorithms' | 'issuer' | 'audience' | 'jsonWebTokenOptions'>;

/** passport-jwt on a token and the key that was found for it, by these rules; its result is the token's claims. */
export function jwtStrategy(rules: JwtRules): Strategy {
  const options = {
    ...rules,
    jwtFromRequest: (presented: unknown) => (presented as Presented).credential,
    secretOrKeyProvider: (presented: unknown, _token: unknown, done: (error: unknown, key?: unknown) => void) =>
      done(null, (presented as Presented).key),
  };
  // Its types know a key as text or bytes only; jsonwebtoken, which verifies, takes a KeyObject.
  return new JwtStrategy(options as never, (claims: object, done) => done(null, claims));
}
