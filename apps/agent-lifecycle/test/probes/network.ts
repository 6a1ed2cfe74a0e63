import { type Probe, type ProbeGroup, type ProbeFixture, succeeds, reads } from './probe.js';

const dial = (name: string, host: string, portOf: (fixture: ProbeFixture) => number = ({ port }) => port): Probe =>
  reads(name, (fixture) => `exec 8<> /dev/tcp/${host}/${portOf(fixture)} && timeout 2 cat <&8`);
const get = (name: string, options: string, host: string): Probe =>
  reads(name, ({ port }) => `curl -s --max-time 3 ${options} http://${host}:${port}/`);
const socket = (name: string, family: number, type: number, protocol = 0): Probe =>
  succeeds(name, `perl -e 'exit(socket(S, ${family}, ${type}, ${protocol}) ? 0 : 1)'`);

/** Everything is on this machine: nothing of it leaves the loopback interface. */
export const network: ProbeGroup = {
  name: 'network and sockets',
  probes: [
    dial('dial the host on 127.0.0.1', '127.0.0.1'),
    dial('dial the host on another loopback address', '127.1.2.3'),
    dial('dial the host on ::1', '::1'),
    succeeds(
      'dial the bus',
      ({ busPort }) => `exec 8<> /dev/tcp/127.0.0.1/${busPort} && timeout 2 head -c 4 <&8 | grep -q INFO`,
    ),
    get('fetch from the host directly', "--noproxy '*'", '127.1.2.3'),
    get('fetch from the host through the proxy', '', '127.1.2.3'),
    get('tunnel to the host through the proxy', '-p', '127.1.2.3'),
    get('reach the host by a number', '', '2130772739'),
    get('reach the host by an IPv4-in-IPv6 address', '', '[::ffff:127.1.2.3]'),
    reads('dial a Unix socket of the host', ({ unixSocket }) => {
      return `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => "${unixSocket}") or exit 1; print <$s>'`;
    }),
    reads('dial an abstract Unix socket of the host', ({ abstractSocket }) => {
      return `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => "\\0${abstractSocket}" . "\\0" x ${107 - 1 - abstractSocket.length}) or exit 1; print <$s>'`;
    }),
    succeeds(
      'see the host’s sockets',
      ({ port }) => `grep -qi ":$(printf %04X ${port}) " /proc/net/tcp /proc/net/tcp6`,
    ),
    succeeds('have a route out', 'tail -n +2 /proc/net/route | grep -q .'),
    succeeds('have an interface but loopback', `tail -n +3 /proc/net/dev | grep -qv '^ *lo:'`),
    succeeds(
      'set an interface’s flags',
      `perl -e 'socket(S, 2, 2, 0); $r = pack("a16 s x22", "lo", 0x49); exit(ioctl(S, 0x8914, $r) ? 0 : 1)'`,
      {
        ownNetwork: true,
      },
    ),
    succeeds(
      'listen on a port of the system',
      `perl -MSocket -e 'socket(S, 2, 1, 0); exit(bind(S, sockaddr_in(80, INADDR_LOOPBACK)) ? 0 : 1)'`,
      {
        ownNetwork: true,
      },
    ),
    socket('a raw socket', 2, 3, 1),
    socket('a packet socket', 17, 3, 768),
    socket('a socket to the hypervisor', 40, 1),
    socket('a socket to the kernel’s cryptography', 38, 5),
    socket('a socket to the kernel’s keys', 15, 3, 2),
    socket('an express data path socket', 44, 3),
  ],
};
