import type { EgressGrant, EgressRequest } from '#lib/contracts';
import { needlesOf } from '#lib/secret-scrub';
import type { AgentGrants } from './agent-grants.js';
import { coversHost, coversRequest, type Destination } from '#lib/net-guard';
import { basicText, basicValue, placeholdersIn, placeholdersInUrl } from './placeholders.js';
import { isSignedInPieces, needsBody, putOn, secretsOf, type StaticCredential, substituteOf } from './put-on.js';
import type { RequestHead } from './request-head.js';

/** The request may not be sent; `message` is for the agent, and holds no secret. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

interface Bound {
  grant: EgressGrant;
  credential: StaticCredential;
}

export interface Authorized {
  /** What must not come back. */
  needles: Buffer[];
  /** Placeholders that may be replaced in the body, and what gives their values. Errors: `Refusal`. */
  inBody: Map<string, () => Promise<string>>;
  /** Whether `finish` needs the body. */
  needsBody: boolean;
  /** Puts on what the method, path and body decide; `head` is then as it is to be sent. */
  finish(body?: Buffer): void;
}

/**
 * Replaces the placeholders of a request's head, and puts in credentials by host. The head is changed only by `finish`.
 * Errors: `Refusal`, where a placeholder is not where its grant allows it, an approval is missing or a token cannot be had.
 */
export async function authorize(
  head: RequestHead,
  { destination, grants, isGone }: { destination: Destination; grants: AgentGrants; isGone: () => boolean },
): Promise<Authorized> {
  const here = grants.at(destination).filter((grant) => coversRequest(grant, head.method, head.path));
  const named = new Set<EgressGrant>();
  for (const [placeholder, place] of placesOf(head)) {
    const grant = grants.byPlaceholder(placeholder);
    if (!grant) throw new Refusal('The request holds a placeholder that stands for no secret of this agent now.');
    const wrong = whyNot(grant, place, { head, destination });
    if (wrong !== undefined) throw refused(grants, grant, wrong);
    named.add(grant);
  }
  const byHost = here.filter((grant) => grant.placeholder === undefined);
  const inHead = [...named, ...byHost];
  for (const grant of inHead) {
    const wrong = whyNotAsSaid(grant, head);
    if (wrong !== undefined) throw refused(grants, grant, wrong);
  }
  const authority = destination.port === 443 ? destination.host : `${destination.host}:${destination.port}`;
  const asked = { method: head.method, host: authority, path: head.path };
  const permit = (grant: EgressGrant) => permitted(grants, grant, asked, isGone);
  const bound: Bound[] = [];
  for (const grant of inHead) bound.push({ grant, credential: await permit(grant) });
  const needles = needlesOf(await grants.secretsAt(destination));
  return {
    needles,
    inBody: new Map(
      here
        .filter(({ placeholder, placements }) => placeholder !== undefined && placements.includes('body'))
        .map((grant) => [
          grant.placeholder ?? '',
          async () => {
            const credential = await permit(grant);
            needles.push(...needlesOf(secretsOf(credential)));
            grants.questions.used(grant.id);
            return substituteOf(credential) ?? '';
          },
        ]),
    ),
    needsBody: bound.some(({ credential }) => needsBody(head, credential)),
    finish: (body) => {
      needles.push(...needlesOf(replaceIn(head, bound)));
      for (const { grant, credential } of bound)
        if (grant.placeholder === undefined || credential.kind === 'aws_sigv4')
          putOn(head, credential, body, authority);
      for (const { grant } of bound) grants.questions.used(grant.id);
    },
  };
}

type Place = 'headers' | 'query' | 'path' | 'name of a header';

/** Every placeholder of a head with where it is. */
function placesOf({ path, headers }: RequestHead): [string, Place][] {
  const [plain = '', ...query] = path.split('?');
  const inHeaders = headers.flatMap(([, value]) => [
    ...placeholdersInUrl(value),
    ...placeholdersIn(basicText(value) ?? ''),
  ]);
  return [
    ...headers.flatMap(([name]) => placeholdersIn(name)).map((found): [string, Place] => [found, 'name of a header']),
    ...inHeaders.map((found): [string, Place] => [found, 'headers']),
    ...placeholdersInUrl(plain).map((found): [string, Place] => [found, 'path']),
    ...placeholdersInUrl(query.join('?')).map((found): [string, Place] => [found, 'query']),
  ];
}

function whyNot(
  grant: EgressGrant,
  place: Place,
  { head, destination }: { head: RequestHead; destination: Destination },
): string | undefined {
  const { secret, hosts, methods, pathPrefixes, placements } = grant;
  if (!coversHost(grant, destination))
    return `The secret "${secret}" may only be sent to ${hosts.join(', ')}, not to ${destination.host}:${destination.port}.`;
  if (!coversRequest(grant, head.method, head.path))
    return `The secret "${secret}" may not be used for this request: ${[
      methods ? `methods ${methods.join(', ')}` : '',
      pathPrefixes ? `paths below ${pathPrefixes.join(', ')}` : '',
    ]
      .filter(Boolean)
      .join('; ')}.`;
  if (place === 'path' || place === 'name of a header' || !placements.includes(place))
    return `The secret "${secret}" may be put in ${placements.join(', ')}, and its placeholder is in the ${place}.`;
  return undefined;
}

/** Headers by which some servers take another method or path than the request's. */
const overrides = [
  ...['x-http-method-override', 'x-http-method', 'x-method-override'],
  ...['x-original-url', 'x-rewrite-url', 'x-original-uri'],
];

/** Why a request is perhaps not what its first line says, where the grant goes by that. */
function whyNotAsSaid(
  { secret, methods, pathPrefixes, credential }: EgressGrant,
  { headers }: RequestHead,
): string | undefined {
  const override = headers.find(([name]) => overrides.includes(name));
  if (override && (methods || pathPrefixes))
    return `The secret "${secret}" is for some methods or paths only, and the header ${override[0]} could name another method or path.`;
  if (credential.kind === 'aws_sigv4' && isSignedInPieces(headers))
    return `The secret "${secret}" signs whole requests, and the body of this one is signed in pieces: have the program send it unsigned (UNSIGNED-PAYLOAD).`;
  return undefined;
}

/** The credential of a grant, once this request may carry it. */
async function permitted(
  grants: AgentGrants,
  grant: EgressGrant,
  request: EgressRequest,
  isGone: () => boolean,
): Promise<StaticCredential> {
  if (grant.asks) {
    const verdict = await grants.mayUse(grant, request, isGone);
    if (!verdict.isAllowed)
      throw refused(grants, grant, `The secret "${grant.secret}" was not used: ${verdict.reason}.`);
  }
  try {
    return await grants.credentialOf(grant);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no reason is known';
    throw refused(grants, grant, `No token of the secret "${grant.secret}" can be had: ${reason}`);
  }
}

function refused(grants: AgentGrants, grant: EgressGrant, reason: string): Refusal {
  grants.questions.used(grant.id, reason);
  return new Refusal(reason);
}

/** Replaces placeholders where they stand as they were given; returns values that hold a secret in a form of their own. */
function replaceIn(head: RequestHead, bound: Bound[]): string[] {
  const composed: string[] = [];
  for (const { grant, credential } of bound) {
    const { placeholder } = grant;
    const value = substituteOf(credential);
    if (placeholder === undefined || value === undefined) continue;
    head.headers = head.headers.map(([name, text]) => {
      const inner = basicText(text);
      if (inner?.includes(placeholder)) {
        const replaced = basicValue(inner.replaceAll(placeholder, Buffer.from(value).toString('latin1')));
        composed.push(replaced.slice('Basic '.length));
        return [name, replaced];
      }
      return [name, text.replaceAll(placeholder, value)];
    });
    const [plain = '', ...query] = head.path.split('?');
    if (query.length > 0) head.path = `${plain}?${query.join('?').replaceAll(placeholder, encodeURIComponent(value))}`;
  }
  return composed;
}
