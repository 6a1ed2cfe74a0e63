import { limitedBody } from '#lib/bounded-streams';
import type { CustomFetch } from 'openid-client';

/** Discovery documents, keys, tokens and profiles are some kilobytes; GitHub's list of emails is the longest. */
const MAX_BYTES = 2 ** 20;
const WITHOUT_BODY = [101, 204, 205, 304];

/** What a sign-in provider answers, broken off where it is longer than any answer should be. */
export const boundedFetch: CustomFetch = async (url, options) => {
  const response = await fetch(url, options as RequestInit);
  const { status, statusText, headers } = response;
  const limits = { maxBytes: MAX_BYTES, maxLineBytes: MAX_BYTES, sender: 'the sign-in provider' };
  const body = WITHOUT_BODY.includes(status) ? null : (response.body?.pipeThrough(limitedBody(limits)) ?? null);
  return new Response(body, { status, statusText, headers });
};
