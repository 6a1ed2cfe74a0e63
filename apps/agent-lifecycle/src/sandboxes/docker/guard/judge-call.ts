import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AGENT_LABEL, containerOptions, INSTANCE_LABEL } from '../container-options.js';

export interface GuardPolicy {
  /** The only name of containers and volumes that is let through. */
  instance: string;
  image: string;
  runtime?: string | undefined;
}

export interface DockerCall {
  method: string;
  /** With its query. */
  url: string;
  /** Of a POST to `/containers/create` and `/volumes/create`. */
  body?: unknown;
}

/** What of a container the driver chooses; all else follows from it. */
const Chosen = z.looseObject({
  name: z.string().optional(),
  Labels: z.record(z.string(), z.string()),
  HostConfig: z.looseObject({
    Memory: z.number(),
    NanoCpus: z.number(),
    PidsLimit: z.number(),
    ShmSize: z.number(),
    Ulimits: z.array(z.strictObject({ Name: z.string(), Soft: z.number(), Hard: z.number() })),
  }),
});
const Volume = z.strictObject({ Name: z.string(), Labels: z.record(z.string(), z.string()) });

/**
 * Why a call to Docker is refused; undefined: it is let through. Let through is what the docker driver does, on its own
 * containers and volumes: an attacker who holds the service gets no other container out of Docker than an isolated
 * one, and nobody else's at all.
 */
export function whyRefused({ method, url, body }: DockerCall, policy: GuardPolicy): string | undefined {
  const { pathname, searchParams } = new URL(url, 'http://docker');
  const path = pathname.replace(/^\/v1\.\d+/, '');
  const call = `${method} ${path}`;
  if (/^(GET|HEAD) \/(_ping|version|info)$/.test(call)) return undefined;
  if (call === 'GET /containers/json' || call === 'GET /volumes') return whyForeignList(searchParams, policy);
  if (call === 'POST /containers/create') return whyOtherContainer(searchParams.get('name') ?? '', body, policy);
  if (call === 'POST /volumes/create') return whyOtherVolume(body, policy);
  const [, name] =
    /^(?:GET \/containers\/([^/]+)\/json|POST \/containers\/([^/]+)\/(?:start|attach)|DELETE \/(?:containers|volumes)\/([^/]+)|GET \/volumes\/([^/]+))$/
      .exec(call)
      ?.filter((part) => part !== undefined) ?? [];
  if (name === undefined) return `${call} is not what the docker driver asks for`;
  return agentOf(name, policy) === undefined ? `${name} is not this Roost's` : undefined;
}

function agentOf(name: string, { instance }: GuardPolicy): string | undefined {
  const prefix = `${instance}-agent-`;
  const agentId = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^[\w-]{1,64}$/.test(agentId) ? agentId : undefined;
}

function whyForeignList(searchParams: URLSearchParams, { instance }: GuardPolicy): string | undefined {
  const wanted = JSON.stringify({ label: [`${INSTANCE_LABEL}=${instance}`] });
  return searchParams.get('filters') === wanted ? undefined : `only lists of the label ${INSTANCE_LABEL}=${instance}`;
}

function whyOtherVolume(body: unknown, policy: GuardPolicy): string | undefined {
  const volume = Volume.safeParse(body);
  const agentId = agentOf(volume.data?.Name ?? '', policy);
  const labels = { [AGENT_LABEL]: agentId, [INSTANCE_LABEL]: policy.instance };
  return isDeepStrictEqual(volume.data?.Labels, labels) ? undefined : "not a volume of this Roost's agents";
}

/** The container is made again from what the driver may choose: anything else in it must be as the driver makes it. */
function whyOtherContainer(name: string, body: unknown, policy: GuardPolicy): string | undefined {
  const refused = 'not a container as the docker driver makes them';
  const chosen = Chosen.safeParse(body);
  const agentId = agentOf(name, policy);
  if (!chosen.success || agentId === undefined) return refused;
  const { HostConfig } = chosen.data;
  const ulimit = (wanted: string) => HostConfig.Ulimits.find(({ Name }) => Name === wanted)?.Hard ?? 0;
  const expected = containerOptions({
    agentId,
    name,
    image: policy.image,
    runtime: policy.runtime,
    labels: { [AGENT_LABEL]: agentId, [INSTANCE_LABEL]: policy.instance },
    limits: {
      memoryBytes: HostConfig.Memory,
      cpuMillis: HostConfig.NanoCpus / 1_000_000,
      processes: HostConfig.PidsLimit,
      openFiles: ulimit('nofile'),
      volumeBytes: ulimit('fsize'),
      tmpBytes: HostConfig.ShmSize,
    },
  });
  const limits = [HostConfig.Memory, HostConfig.NanoCpus, HostConfig.PidsLimit, ulimit('fsize')];
  if (!limits.every((limit) => limit > 0)) return refused;
  // As it travels: what is undefined does not.
  const asSent: unknown = JSON.parse(JSON.stringify(expected));
  return isDeepStrictEqual({ name, ...chosen.data }, asSent) ? undefined : refused;
}
