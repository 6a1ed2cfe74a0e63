import { type ProbeGroup, succeeds, reads } from './probe.js';

const freshEtc = { setup: () => 'mount -t tmpfs probe /etc' };
const freshLocal = { setup: () => 'mount -t tmpfs probe /usr/local/share' };

/** Files that are not the agent's. */
export const hostFiles: ProbeGroup = {
  name: 'files of the host and of other agents',
  probes: [
    reads('read a host file by its path', ({ folder }) => `cat ${folder}/canary`),
    reads('read it through /proc/1/root', ({ folder }) => `cat /proc/1/root${folder}/canary`),
    reads('read it through /proc/self/root', ({ folder }) => `cat /proc/self/root${folder}/canary`),
    reads('read it through the parent’s root', ({ folder }) => `cat /proc/$PPID/root${folder}/canary`),
    reads('read it through /proc/self/cwd', ({ folder }) => `cat /proc/self/cwd/${'../'.repeat(20)}${folder}/canary`),
    reads('climb out with ..', ({ folder }) => `cat ${'../'.repeat(40)}${folder}/canary`),
    reads('read it through a symbolic link', ({ folder }) => `ln -sf ${folder}/canary p-link; cat p-link`),
    reads('read it through a link to its folder', ({ folder }) => `ln -sfn ${folder} p-dir; cat p-dir/canary`),
    reads('read it through a hard link', ({ folder }) => `ln -f ${folder}/canary p-hard; cat p-hard`, {
      setup: ({ folder }) => `cd ${folder}`,
    }),
    reads(
      'read it through inherited handles',
      ({ folder }) => `for fd in /proc/self/fd/* /proc/$PPID/fd/*; do cat $fd${folder}/canary; done 2> /dev/null`,
      { setup: () => 'exec 9< /' },
    ),
    reads('write a host file', ({ folder, token }) => `echo ${token} > ${folder}/writable; cat ${folder}/writable`),
    succeeds('truncate a host file', ({ folder }) => `test -f ${folder}/writable && : > ${folder}/writable`),
    succeeds('delete a host file', ({ folder }) => `touch ${folder}/doomed && rm ${folder}/doomed`),
    succeeds('make a folder beside it', ({ folder }) => `mkdir ${folder}/p-new && rmdir ${folder}/p-new`),
    succeeds('list the folder of all volumes', ({ foreignFolder }) => `ls ${foreignFolder} | grep -q .`),
    reads('read another agent’s file', ({ foreignFolder }) => `cat ${foreignFolder}/secret`),
    reads('find another agent’s file anywhere', ({ foreignFolder, token }) => {
      const folders = `${foreignFolder} /run /srv /mnt /media`;
      return `grep -rasl -D skip ${token} ${folders} 2> /dev/null | head -1 | xargs -r cat`;
    }),
    succeeds('read the host’s passwords', 'grep -q . /etc/shadow'),
    succeeds('read root’s home', 'ls -a /root'),
    succeeds('read the host’s logs and state', 'ls /var/lib | grep -q .'),
    succeeds('read the host’s boot folder', 'ls /boot'),
    succeeds('write to /usr', 'touch /usr/local/share/p-x', freshLocal),
    succeeds('write to /etc', 'touch /etc/p-x', freshEtc),
    succeeds('preload a library into every program', 'touch /etc/ld.so.preload', freshEtc),
    succeeds('add a user', 'echo p:x:0:0:::/bin/sh >> /etc/passwd', freshEtc),
    succeeds('change the resolver', 'echo nameserver 127.0.0.1 >> /etc/resolv.conf', freshEtc),
    succeeds('write to the root folder', 'touch /p-x && rm /p-x'),
    reads('read /tmp of the host', ({ token }) => `cat /tmp/p-${token}`),
    reads('read shared memory files of the host', ({ token }) => `cat /dev/shm/p-${token}`),
    reads('read the environment of Roost', () => 'env'),
  ],
};
