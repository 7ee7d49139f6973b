import { expect } from 'chai';
import { deserialize, serialize, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serviceWith, workloadWith } from './defaults.ts';
import { MeshStore } from './store.ts';
import type { MeshUpdate } from './types.ts';

/** 50,000 pods of 5,000 services on 500 nodes, each replica of the store within this. */
const BUDGET_BYTES = 50_000_000;
const PODS = 50_000;
const PODS_PER_SERVICE = 10;
const BATCH = 1000;

/** As a data worker gets it: a structured clone, in which no two strings are shared. */
function batch(start: number): MeshUpdate[] {
  const updates: MeshUpdate[] = [];
  for (let i = start; i < start + BATCH; i++) {
    const app = Math.floor(i / PODS_PER_SERVICE);
    const namespace = `team-${app % 200}-production`;
    const name = `checkout-service-${app}`;
    const hostname = `${name}.${namespace}.svc.cluster.local`;
    const ports = [
      { servicePort: 80, targetPort: 8080, appProtocol: 'HTTP11' as const },
      { servicePort: 443, targetPort: 8443, appProtocol: 'TLS' as const },
    ];
    const pod = `${name}-7d9f8b6c5d-${i.toString(36).padStart(5, 'x')}`;
    updates.push({
      kind: 'workload',
      workload: workloadWith({
        uid: `cluster-1//Pod/${namespace}/${pod}`,
        name: pod,
        namespace,
        addresses: [`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`],
        network: 'network-1',
        tunnelProtocol: 'HBONE',
        serviceAccount: name,
        node: `ip-10-0-${i % 500}-17.eu-central-1.compute.internal`,
        canonicalName: name,
        canonicalRevision: 'v1',
        workloadName: name,
        services: { [`${namespace}/${hostname}`]: ports },
        authorizationPolicies: ['istio-system/istio_converted_static_strict'],
        clusterId: 'cluster-1',
        locality: { region: 'eu-central-1', zone: `eu-central-1${'abc'[i % 3]}`, subzone: '' },
      }),
    });
    if (i % PODS_PER_SERVICE === 0) {
      const ip = `172.16.${app >> 8}.${app & 255}`;
      updates.push({
        kind: 'service',
        service: serviceWith({ name, namespace, hostname, ports, addresses: [{ network: 'network-1', ip }] }),
      });
    }
  }
  return deserialize(serialize(updates)) as MeshUpdate[];
}

describe('MeshStore memory', () => {
  it('holds 50,000 workloads within its budget', function () {
    this.timeout(30_000);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    // What compiled code and its feedback take is none of the store's.
    new MeshStore().apply(batch(0));
    const store = new MeshStore();
    collect();
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let start = 0; start < PODS; start += BATCH) store.apply(batch(start));
    collect();
    const used = process.memoryUsage().heapUsed - before;
    expect(store.workloadCount).to.equal(PODS);
    expect(used, `${(used / 1e6).toFixed(1)} MB, ${Math.round(used / PODS)} bytes a workload`).to.be.below(
      BUDGET_BYTES,
    );
  });
});
