import { apply, execIn, kubectl } from './command.ts';
import { pod, namespace } from './applications.ts';
import { environment, image } from './environment.ts';
import { readyPod } from './pods.ts';

const SPACE = 'ambient-test-node';
const NAME = 'node-shell';
const ROOT = '/node';

/** What the mesh leaves on a node, or in a pod: empty where there is nothing of it. */
export type Traces = readonly string[];

const listRules = `
for tool in iptables ip6tables iptables-legacy ip6tables-legacy; do
  $tool-save 2>/dev/null | grep ISTIO | sed "s/^/$tool: /"
done
nft list tables 2>/dev/null | grep istio
for family in -4 -6; do ip $family rule show 2>/dev/null | grep 0x111 | sed "s/^/ip $family rule: /"; done
`;

const listNode = `${listRules}
ipset list -name 2>/dev/null | grep istio | sed 's/^/ipset: /'
find ${ROOT}/opt/cni/bin ${ROOT}/etc/cni/net.d ${ROOT}/run/istio-cni ${ROOT}/run/ztunnel \\
  ! -type d 2>/dev/null | grep -E 'istio|ztunnel' | sed 's/^/file: /'
grep -l istio-cni ${ROOT}/etc/cni/net.d/* 2>/dev/null | sed 's/^/configuration: /'
true
`;

const listPod = `${listRules}
[ "$(cat /proc/sys/net/ipv4/tcp_migrate_req)" = 0 ] || echo 'sysctl: tcp_migrate_req'
[ "$(cat /proc/sys/net/ipv4/tcp_tw_reuse)" = 2 ] || echo 'sysctl: tcp_tw_reuse'
[ "$(cat /proc/sys/net/netfilter/nf_conntrack_tcp_loose)" = 1 ] || echo 'sysctl: nf_conntrack_tcp_loose'
true
`;

/** A shell on a node: in its namespaces of processes and of the network, its files below /node. */
export class NodeShell {
  /** @throws CommandError */
  static async open(): Promise<NodeShell> {
    await apply(
      namespace(SPACE),
      pod(SPACE, NAME, {
        account: 'default',
        containers: [
          {
            name: 'shell',
            image: image('install-cni'),
            imagePullPolicy: environment.pullPolicy,
            command: ['sleep', 'infinity'],
            securityContext: { privileged: true },
            volumeMounts: [{ name: 'root', mountPath: ROOT, mountPropagation: 'HostToContainer' }],
          },
        ],
        more: {
          hostPID: true,
          hostNetwork: true,
          volumes: [{ name: 'root', hostPath: { path: '/' } }],
        },
      }),
    );
    await readyPod(SPACE, `app=${NAME}`);
    return new NodeShell();
  }

  async close(): Promise<void> {
    await kubectl(['delete', 'namespace', SPACE, '--wait=false']);
  }

  /** @returns what the script prints @throws CommandError */
  run(script: string, ...args: readonly string[]): Promise<string> {
    return execIn(SPACE, NAME, ['sh', '-c', script, 'sh', ...args]);
  }

  /** Runs a script in the network namespace of a pod; what /proc/sys/net says is that namespace's. */
  inPod(uid: string, script: string): Promise<string> {
    return this.run(
      `pid=$(grep -lE "pod($1|$2)" /proc/[0-9]*/cgroup 2>/dev/null | head -1 | cut -d/ -f3)
       [ -n "$pid" ] || { echo "no process of pod $1" >&2; exit 1; }
       exec nsenter --net="/proc/$pid/ns/net" sh -c "$3"`,
      uid,
      uid.replaceAll('-', '_'),
      script,
    );
  }

  /** Kills the program of a pod's container, by a text of its command line. @throws CommandError where there is none */
  async kill(uid: string, commandLine: string): Promise<void> {
    await this.run(
      `killed=1
       for file in $(grep -lE "pod($1|$2)" /proc/[0-9]*/cgroup 2>/dev/null); do
         pid=$(echo "$file" | cut -d/ -f3)
         if grep -qaF "$3" "/proc/$pid/cmdline" 2>/dev/null; then kill -9 "$pid" && killed=0; fi
       done
       exit $killed`,
      uid,
      uid.replaceAll('-', '_'),
      commandLine,
    );
  }

  /** Rules, sets, files and configurations on the node. */
  async traces(): Promise<Traces> {
    return linesOf(await this.run(listNode));
  }

  /** Rules and kernel settings in a pod. */
  async tracesInPod(uid: string): Promise<Traces> {
    return linesOf(await this.inPod(uid, listPod));
  }

  /** Name and content of the configuration that the container runtime uses. */
  async networkConfig(): Promise<{ readonly path: string; readonly text: string }> {
    const found = await this.run(
      `ls ${ROOT}/etc/cni/net.d/*.conflist ${ROOT}/etc/cni/net.d/*.conf 2>/dev/null | sort | head -1`,
    );
    const path = found.trim();
    return { path, text: await this.run('cat "$1"', path) };
  }

  /**
   * Whether the node's process 1 is in the network of the kubelet, as on an ordinary node: by it the agent finds that
   * network.
   */
  async processOneHasTheNetwork(): Promise<boolean> {
    const [one, own] = (await this.run('readlink /proc/1/ns/net; readlink /proc/self/ns/net')).split('\n');
    return one === own;
  }
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
