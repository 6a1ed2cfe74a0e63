import { type ProbeGroup, succeeds } from './probe.js';

/** Handles of the processes around an agent's commands: where the host would read what is written there. */
const handles = '/proc/1/fd/* /proc/$PPID/fd/*';

/** What the host reads of a sandbox: nothing of it may be written by a command. Without a sandbox a file stands in. */
export const output: ProbeGroup = {
  name: 'output that the host reads, and floods',
  probes: [
    succeeds('write into another’s standard error', 'exec 8>> /proc/$PPID/fd/2 && : >&8', {
      setup: () => 'exec 2> /dev/null',
    }),
    succeeds('forge a line of the log', `echo '{"level":60,"msg":"forged"}' > /proc/$PPID/fd/2`, {
      setup: () => 'exec 2> /dev/null',
    }),
    succeeds(
      'flood another’s handles',
      // Nothing reads what goes to /dev/null, which gVisor lets everybody open.
      `for h in ${handles}; do [ "$(readlink $h)" = /dev/null ] && continue; head -c 4096 /dev/zero > $h && exit 0; done 2> /dev/null; exit 1`,
      { setup: () => 'exec 2> /dev/null 8> p-flood' },
    ),
    succeeds('signal the first process', 'kill -0 1 && kill -STOP 1 && exec 8< /proc/1/mem'),
    // A busy machine takes a while to close them: what is still open after five seconds stays open.
    succeeds(
      'hold more connections to the proxy than it allows',
      `perl -MIO::Socket::INET -e '$p = $ENV{PROBE_PORT} || 3128; for (1 .. 300) { $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$p", Timeout => 2) or last; push @s, $s } for (1 .. 25) { select(undef, undef, undef, 0.2); $open = grep { $v = ""; vec($v, fileno($_), 1) = 1; !select($v, undef, undef, 0) } @s; $open < 200 and exit 1 } exit 0'`,
      {
        setup: () =>
          `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 400, LocalAddr => "127.0.0.1:3999") or exit; while ($c = $s->accept) { push @c, $c }' & export PROBE_PORT=3999; trap "kill $!" EXIT; sleep 0.3`,
      },
    ),
  ],
};
