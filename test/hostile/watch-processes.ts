import { readdirSync, readFileSync } from 'node:fs';

const EVERY_MS = 250;

interface ProcessInfo {
  pid: number;
  parent: number;
  name: string;
  rss: number;
  /** Start time in ticks: a pid that is used again is another process. */
  startedAt: string;
}

export interface ProcessReport {
  /** Of the services' processes and the launcher's together, without PostgreSQL, NATS and what runs in sandboxes. */
  peakServicesBytes: number;
  /** Services, launcher, nats-server and PostgreSQL's first process that were there at first and were not at the end. */
  ended: string[];
}

/** Watches a Roost's processes on the host, as children of its launcher. */
export function watchProcesses(launcher: number): () => ProcessReport {
  const first = hostProcesses(launcher);
  let peakServicesBytes = 0;
  const check = () => {
    const services = hostProcesses(launcher).filter(({ name }) => isService(name));
    peakServicesBytes = Math.max(
      peakServicesBytes,
      services.reduce((sum, { rss }) => sum + rss, 0),
    );
  };
  const timer = setInterval(check, EVERY_MS);
  return () => {
    clearInterval(timer);
    check();
    const last = new Set(hostProcesses(launcher).map(keyOf));
    const ended = first.filter((process) => !last.has(keyOf(process))).map(({ name, pid }) => `${name} (${pid})`);
    return { peakServicesBytes, ended };
  };
}

const keyOf = ({ pid, startedAt }: ProcessInfo) => `${pid} ${startedAt}`;
const isService = (name: string) => name === 'node' || name === 'MainThread';

/** The launcher and its descendants, without those below a sandbox and without PostgreSQL's workers, which come and go. */
function hostProcesses(launcher: number): ProcessInfo[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => infoOf(Number(pid)));
  const found: ProcessInfo[] = all.filter(({ pid }) => pid === launcher);
  for (const process of found) {
    if (process.name === 'postgres') continue;
    found.push(...all.filter(({ parent, name }) => parent === process.pid && !isSandbox(name)));
  }
  return found.filter(({ name }) => isService(name) || name === 'postgres' || name.startsWith('nats-server'));
}

/** What a sandbox holds is not Roost's: it has bounds of its own. */
const isSandbox = (name: string) => name === 'bwrap' || name === 'runsc' || name === 'prlimit';

function infoOf(pid: number): ProcessInfo[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [
      {
        pid,
        name: /^Name:\s+(.*)$/m.exec(status)?.[1] ?? '',
        parent: Number(fields[1]),
        rss: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024,
        startedAt: fields[19] ?? '',
      },
    ];
  } catch {
    return []; // it ended meanwhile
  }
}
