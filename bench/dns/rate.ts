/**
 * How many DNS questions a second one core of ztunnel answers, in a mesh of 5000 services: `node bench/dns/rate.ts`, as root
 * or inside `unshare -Urmn`. One data worker; the rate per core is that of answers per second of the proxy's CPU time.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NetnsLab } from '@ambient/testkit/lab';
import type { DnsLoadOptions, DnsLoadResult } from '../load/dns-load.ts';
import { readUsage } from '../rig/process-usage.ts';

const SERVICES = 5000;
const SECONDS = 4;
const UNDER_WAY = 32;
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const node = [process.execPath, '--disable-warning=ExperimentalWarning'];

const lab = NetnsLab.create();
try {
  const pod = await lab.namespace('pod');
  const mesh = join(lab.directory, 'mesh.yaml');
  const resolvConf = join(lab.directory, 'resolv.conf');
  writeFileSync(
    resolvConf,
    'search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.0.0.53\n',
  );
  const services = Array.from({ length: SERVICES }, (_, i) => ({
    name: `s${i}`,
    namespace: 'shop',
    hostname: `s${i}.shop.svc.cluster.local`,
    vips: [`/10.${96 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`],
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
  writeFileSync(mesh, JSON.stringify({ workloads: [client], services, policies: [] }));
  const upstream = await pod.spawn([...node, file('name-server.ts')], { name: 'names' });
  await upstream.waitForLine(/^ready$/);
  const proxy = await pod.spawn([...node, file('../../packages/ztunnel/src/main.ts')], {
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

  const measure = async (what: string, names: readonly string[], type = 1): Promise<void> => {
    const options: DnsLoadOptions = {
      server: '127.0.0.1',
      port: 15_053,
      names,
      type,
      underWay: UNDER_WAY,
      seconds: SECONDS,
    };
    const before = readUsage(proxy.pid).cpuSeconds;
    const started = performance.now();
    const text = await pod.must([...node, file('../load/dns-load.ts'), JSON.stringify(options)]);
    const seconds = (performance.now() - started) / 1000;
    const cpu = readUsage(proxy.pid).cpuSeconds - before;
    const result = JSON.parse(text) as DnsLoadResult;
    const perCore = Math.round((result.answersPerSecond * SECONDS) / cpu);
    console.log(
      `${what}: ${perCore}/s a core; ${result.answersPerSecond}/s, p50 ${result.p50} us, p99 ${result.p99} us, ` +
        `${result.failed} failed, ${result.lost} lost, ${(cpu / seconds).toFixed(2)} CPUs`,
    );
  };
  const known = services.slice(0, 500).map(({ hostname }) => hostname);
  await measure('warm-up', known);
  await measure('from the mesh', known);
  await measure(
    'from the mesh, by search domain',
    known.map((_, i) => `s${i}.shop.svc.cluster.local.shop.svc.cluster.local`),
  );
  const outside = Array.from({ length: 500 }, (_, i) => `host${i}.example.com`);
  await measure('forwarded', outside);
} finally {
  await lab.destroy();
}
