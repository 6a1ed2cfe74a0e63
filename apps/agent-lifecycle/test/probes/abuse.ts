import { type ProbeGroup, succeeds } from './probe.js';

/** What the sandbox of a probe run is given; the abuses ask for more, and for little enough to be harmless without one. */
export const abuseLimits = { memory: '256Mi', cpu: '500m', volumeBytes: 128 * 2 ** 20 };

const mega = 1_000_000;

/**
 * More than one's share. Volumes that are measured are looked at every second, and a look at 40,000 files takes seconds on
 * a full machine: who takes space must hold it for `HOLD`, which nobody waits for who was stopped.
 */
export const abuse: ProbeGroup = {
  name: 'more than its share',
  isAlone: true,
  probes: [
    succeeds(
      'hundreds of processes',
      `perl -e 'for (1 .. 700) { $p = fork; defined $p or exit 1; if (!$p) { sleep 2; exit } } exit 0'`,
    ),
    succeeds('memory', `perl -e '$a = "x" x ${600 * mega}; exit(length($a) != ${600 * mega})'`),
    succeeds(
      'memory in many processes',
      `for i in 1 2 3 4; do perl -e '$a = "x" x ${150 * mega}; sleep 2' & p="$p $!"; done; for i in $p; do wait $i || exit 1; done`,
    ),
    succeeds(
      'memory as files in /tmp',
      `head -c ${300 * mega} /dev/zero > /tmp/p-fill; r=$?; rm -f /tmp/p-fill; exit $r`,
    ),
    succeeds(
      'memory as files in /dev/shm',
      `head -c ${300 * mega} /dev/zero > /dev/shm/p-fill; r=$?; rm -f /dev/shm/p-fill; exit $r`,
    ),
    succeeds(
      'disk, in many files',
      `for i in 1 2 3 4 5 6; do head -c ${40 * mega} /dev/zero > p-fill$i || exit 1; done; sleep \${HOLD:-10}`,
    ),
    succeeds(
      'disk, in files that are deleted but open',
      `perl -e 'for (1 .. 6) { open($f[$_], ">", "p-open") or exit 1; unlink "p-open"; for (1 .. 40) { print { $f[-1] } "x" x ${mega} or exit 1 } $f[-1]->flush or exit 1 } sleep($ENV{HOLD} // 10)'`,
    ),
    succeeds('disk, reserved ahead', 'for i in 1 2 3; do fallocate -l 60M p-fill$i || exit 1; done; sleep ${HOLD:-10}'),
    succeeds(
      'a mass of files',
      `mkdir -p p-files; perl -e 'for (1 .. 40000) { open(F, ">", "p-files/$_") or exit 1; close F } sleep($ENV{HOLD} // 10)'`,
    ),
    succeeds('a file larger than the volume', 'truncate -s 200M p-sparse'),
    succeeds(
      'tens of thousands of open files',
      `perl -e 'for (1 .. 15000) { open($f[$_], "<", "/dev/null") or exit 1 }'`,
      { setup: () => 'ulimit -n 16000' },
    ),
    succeeds(
      'processor time',
      `perl -e 'for (1 .. 4) { $p = fork; if (!$p) { $e = time + 2; 1 while time < $e; exit } } 1 while wait > 0; @t = times; exit($t[2] + $t[3] < 1.3)'`,
    ),
  ],
};
