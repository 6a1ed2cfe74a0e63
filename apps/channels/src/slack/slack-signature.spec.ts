import { describe, expect, it } from 'vitest';
import { isSignedBySlack } from './slack-signature.js';

/** The example of https://docs.slack.dev/authentication/verifying-requests-from-slack */
const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const AT = 1_531_420_618;
const BODY =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const headers = {
  'x-slack-request-timestamp': String(AT),
  'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
};
const check = (body = BODY, more: Record<string, string> = {}, now = AT, secret = SECRET) =>
  isSignedBySlack(secret, { ...headers, ...more }, Buffer.from(body), now);

describe("Slack's signature", () => {
  it("accepts Slack's published example", () => {
    expect(check()).toBe(true);
    expect(check(BODY, {}, AT + 299)).toBe(true);
  });

  it('refuses another body, secret, time or signature, and what is older or newer than five minutes', () => {
    expect(check(`${BODY}x`)).toBe(false);
    expect(check(BODY, {}, AT, `${SECRET}x`)).toBe(false);
    expect(check(BODY, { 'x-slack-request-timestamp': String(AT + 1) })).toBe(false);
    expect(check(BODY, { 'x-slack-request-timestamp': 'now' })).toBe(false);
    expect(check(BODY, { 'x-slack-signature': 'v0=' })).toBe(false);
    expect(check(BODY, { 'x-slack-signature': '' })).toBe(false);
    expect(check(BODY, {}, AT + 301)).toBe(false);
    expect(check(BODY, {}, AT - 301)).toBe(false);
  });
});
