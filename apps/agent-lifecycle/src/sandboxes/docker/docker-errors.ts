import { RoostError } from '#lib/contracts';
import type { ContainerInspectInfo } from 'dockerode';
import { hostAway, statusOf, unavailable } from '../host-errors.js';

/** What an operator can do about a Docker host that refuses. */
export interface Circumstances {
  image: string;
  /** Where Docker was looked for. */
  host: string;
  name: string;
}

/** A refusal of Docker's as an agent's `status_reason`: what is wrong and what to do. */
export function unavailableBecause(error: unknown, { image, host, name }: Circumstances): RoostError {
  if (error instanceof RoostError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (isUnreachable(error)) {
    return hostAway(
      `Docker does not answer at ${host} (${codeOf(error)}): start it, or set DOCKER_HOST to where it listens`,
    );
  }
  if (statusOf(error) === 404 && /image/i.test(text)) {
    return unavailable(
      `there is no image ${image} on the Docker host: build it (docker compose build workspace), or set ROOST_WORKSPACE_IMAGE to one that is there`,
    );
  }
  if (statusOf(error) === 403) {
    return unavailable(`the proxy before Docker refused it: ${text}`);
  }
  if (/no space left/i.test(text)) {
    return unavailable(`the Docker host's disk is full: make room on it (docker system df shows what takes it)`);
  }
  if (/unknown or invalid runtime|unknown runtime/i.test(text)) {
    return unavailable(`Docker does not know the runtime that ROOST_DOCKER_RUNTIME names: install it, or unset it`);
  }
  return unavailable(`Docker could not make the container ${name}: ${text}`);
}

/** Why a container ended by itself, and what to do about it where that is known. */
export function whyEnded(facts: ContainerInspectInfo, lastLine: string): string {
  if (facts.State.OOMKilled) {
    const mebibytes = Math.round((facts.HostConfig.Memory ?? 0) / 2 ** 20);
    return `it used up its memory (${mebibytes}Mi) and was ended: raise configuration.resources.memory, or let it do less at once`;
  }
  return `${lastLine || facts.State.Error || 'no message'} (exit code ${facts.State.ExitCode})`;
}

/** Somebody else's container or volume has the name. */
export function nameTaken(kind: 'container' | 'volume', name: string): RoostError {
  return unavailable(
    `a ${kind} named ${name} exists on the Docker host that is not this Roost's: remove or rename it, or set ROOST_DOCKER_INSTANCE to another name`,
  );
}

/** Whether Docker itself is gone, and not what was asked of it. */
export function isUnreachable(error: unknown): boolean {
  return ['ECONNREFUSED', 'ENOENT', 'EACCES', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'].includes(
    codeOf(error),
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
