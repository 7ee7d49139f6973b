import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NetnsLab } from '@ambient/testkit/lab';
import type { DnsLoadOptions, DnsLoadResult } from '../../load/dns-load.ts';
import { readUsage } from '../../rig/process-usage.ts';
import type { NodeEffort } from '../options.ts';
import type { MeasureContext } from '../samples.ts';

const SERVICES = 5000;
/** Names that are asked for in turn. */
const NAMES = 500;
const UNDER_WAY = 32;
const SEARCH = 'shop.svc.cluster.local';
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const node = [process.execPath, '--disable-warning=ExperimentalWarning'];

/**
 * How many DNS questions a second one core of ztunnel answers, in a mesh of 5000 services. One data worker; the rate is that
 * of answers per second of the proxy's CPU time.
 */
export async function measureDns({ effort, add, progress }: MeasureContext<NodeEffort>): Promise<void> {
  const lab = NetnsLab.create();
  try {
    const pod = await lab.namespace('pod');
    const mesh = join(lab.directory, 'mesh.yaml');
    const resolvConf = join(lab.directory, 'resolv.conf');
    writeFileSync(resolvConf, `search ${SEARCH} svc.cluster.local cluster.local\nnameserver 127.0.0.53\n`);
    writeFileSync(mesh, JSON.stringify(meshOfServices()));
    const upstream = await pod.spawn([...node, file('../../dns/name-server.ts')], { name: 'names' });
    await upstream.waitForLine(/^ready$/);
    const proxy = await pod.spawn([...node, file('../../../packages/ztunnel/src/main.ts')], {
      name: 'ztunnel',
      env: {
        PROXY_MODE: 'dedicated',
        PROXY_WORKLOAD_INFO: 'shop/client/client',
        NODE_NAME: 'n1',
        FAKE_CA: 'true',
        FAKE_CA_DIR: join(lab.directory, 'ca'),
        XDS_ADDRESS: '',
        LOCAL_XDS_PATH: mesh,
        AMBIENT_RESOLV_CONF: resolvConf,
        ZTUNNEL_WORKER_THREADS: '1',
        LOG_FORMAT: 'json',
      },
    });
    await proxy.waitForLine(/"message":"ready"/);

    const rate = async (names: readonly string[]): Promise<{ perCore: number; p99Ms: number }> => {
      const options: DnsLoadOptions = {
        server: '127.0.0.1',
        port: 15_053,
        names,
        type: 1,
        underWay: UNDER_WAY,
        seconds: effort.seconds,
      };
      const before = readUsage(proxy.pid).cpuSeconds;
      const text = await pod.must([...node, file('../../load/dns-load.ts'), JSON.stringify(options)]);
      const cpuSeconds = readUsage(proxy.pid).cpuSeconds - before;
      const { answersPerSecond, failed, lost, p99 } = JSON.parse(text) as DnsLoadResult;
      if (failed > 0 || lost > 0) throw new Error(`${failed} DNS questions failed, ${lost} had no answer`);
      return { perCore: (answersPerSecond * effort.seconds) / cpuSeconds, p99Ms: p99 / 1000 };
    };
    const names = (suffix: string): string[] => Array.from({ length: NAMES }, (_, i) => nameOf(i) + suffix);
    const outside = Array.from({ length: NAMES }, (_, i) => `host${i}.example.com`);
    await rate(names(''));
    for (let round = 1; round <= effort.rounds; round++) {
      progress(`dns: round ${round} of ${effort.rounds}`);
      const known = await rate(names(''));
      add('dnsMesh', known.perCore);
      add('dnsMeshP99', known.p99Ms);
      add('dnsSearch', (await rate(names(`.${SEARCH}`))).perCore);
      add('dnsForwarded', (await rate(outside)).perCore);
    }
  } finally {
    await lab.destroy();
  }
}

function nameOf(index: number): string {
  return `s${index}.shop.svc.cluster.local`;
}

function meshOfServices(): object {
  const services = Array.from({ length: SERVICES }, (_, i) => ({
    name: `s${i}`,
    namespace: 'shop',
    hostname: nameOf(i),
    vips: [`/10.96.${i >> 8}.${i & 255}`],
    ports: { 80: 8080 },
  }));
  const client = {
    uid: 'Kubernetes//Pod/shop/client',
    name: 'client',
    namespace: 'shop',
    serviceAccount: 'client',
    workloadIps: ['10.0.0.1'],
    protocol: 'HBONE',
    network: '',
    node: 'n1',
    services: {},
  };
  return { workloads: [client], services, policies: [] };
}
