import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const asUser = ['--user', '--map-root-user'];
const network = ['--net', '--mount'];
const processes = ['--pid', '--fork', '--kill-child', '--mount-proc'];

/** Options of `unshare` that make namespaces, or what the kernel said to every try. */
export type Isolation = { readonly options: readonly string[] } | { readonly refusal: string };

/**
 * How this user gets a network, mounts and processes of his own, best first; without root in a user namespace. Some container
 * runtimes hide parts of /proc, and the kernel then allows no new one: without a process namespace programs still run, they
 * only have to end what they started.
 *
 * @param probe run by `sh -c` as root inside; what it needs has to work there
 */
export function findIsolation(probe: string): Isolation {
  const isRoot = process.getuid?.() === 0;
  const bases = isRoot ? [network, [...asUser, ...network]] : [[...asUser, ...network]];
  let refusal = '';
  for (const options of bases.flatMap((base) => [[...base, ...processes], base])) {
    const attempt = spawnSync('unshare', [...options, 'sh', '-c', probe], { encoding: 'utf8' });
    if (attempt.status === 0) return { options };
    refusal ||= (attempt.stderr || String(attempt.error ?? '')).trim();
  }
  return { refusal };
}

/** A kernel setting, undefined where the kernel does not have it. */
function kernelSetting(name: string): string | undefined {
  try {
    return readFileSync(join('/proc/sys', name), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** What the operator can do about namespaces that the kernel refuses. */
export function isolationRemedy(): string {
  if (process.getuid?.() === 0)
    return (
      'This root user may not make namespaces; it is probably confined to a container. Start the container with ' +
      '--privileged, or with --cap-add NET_ADMIN --cap-add SYS_ADMIN --security-opt seccomp=unconfined ' +
      '--security-opt apparmor=unconfined.'
    );
  const asRoot = 'Run as root (sudo)';
  if (kernelSetting('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return `AppArmor forbids user namespaces to ordinary users. ${asRoot}, or: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`;
  if (kernelSetting('kernel/unprivileged_userns_clone') === '0')
    return `The kernel forbids user namespaces to ordinary users. ${asRoot}, or: sudo sysctl -w kernel.unprivileged_userns_clone=1`;
  if (kernelSetting('user/max_user_namespaces') === '0')
    return `The kernel allows no user namespaces. ${asRoot}, or: sudo sysctl -w user.max_user_namespaces=15000`;
  return `${asRoot}, or allow user namespaces to ordinary users. In a container: start it with --privileged.`;
}
