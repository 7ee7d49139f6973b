import { expect } from 'chai';
import { deserialize, serialize, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serviceWith, workloadWith } from './defaults.ts';
import { UpdatePacker, UpdateUnpacker } from './packed-updates.ts';
import { MeshStore } from './store.ts';
import type { MeshUpdate } from './types.ts';

/** 50,000 pods of 5,000 services on 500 nodes: the store of the main thread within this, */
const BUDGET_BYTES = 30_000_000;
/** and that of each data worker, which has no pools by which equal values are found. */
const REPLICA_BUDGET_BYTES = 20_000_000;
const PODS = 50_000;
const PODS_PER_SERVICE = 10;
const BATCH = 1000;

/** How the pods came about, and so what telemetry calls them: by their Deployment, or each by its own name. */
type Origin = 'of Deployments' | 'on their own';

/** As messages bring it: no two strings are shared. */
function batch(start: number, origin: Origin): MeshUpdate[] {
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
        workloadName: origin === 'of Deployments' ? name : pod,
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

function fill(store: MeshStore, origin: Origin): void {
  for (let start = 0; start < PODS; start += BATCH) store.apply(batch(start, origin));
}

/** The thread whose store `source` is tells another of everything. */
function replicate(source: MeshStore, replica: MeshStore): void {
  const [packer, unpacker] = [new UpdatePacker(), new UpdateUnpacker()];
  const tell = (updates: readonly MeshUpdate[]): void => {
    const packed = packer.pack(updates, (uid) => source.workload(uid));
    replica.apply(unpacker.unpack(deserialize(serialize(packed)) as typeof packed));
  };
  for (const { service } of source.allServices()) tell([{ kind: 'service', service }]);
  let updates: MeshUpdate[] = [];
  for (const workload of source.allWorkloads())
    if (updates.push({ kind: 'workload', workload }) === BATCH) {
      tell(updates);
      updates = [];
    }
  tell(updates);
}

/** Bytes that work leaves in use. */
function bytesOf(work: () => void): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const before = process.memoryUsage().heapUsed;
  work();
  collect();
  collect();
  return process.memoryUsage().heapUsed - before;
}

function expectWithin(bytes: number, budget: number): void {
  const text = `${(bytes / 1e6).toFixed(1)} MB, ${Math.round(bytes / PODS)} bytes a workload`;
  expect(bytes, text).to.be.below(budget);
}

describe('MeshStore memory', function () {
  this.timeout(60_000);

  for (const origin of ['of Deployments', 'on their own'] as const)
    it(`holds 50,000 pods ${origin} within its budget, and so does a replica`, () => {
      // What compiled code and its feedback take is none of the store's.
      const trial = new MeshStore();
      trial.apply(batch(0, origin));
      replicate(trial, new MeshStore({ shared: true }));
      const store = new MeshStore();
      expectWithin(
        bytesOf(() => fill(store, origin)),
        BUDGET_BYTES,
      );
      const replica = new MeshStore({ shared: true });
      expectWithin(
        bytesOf(() => replicate(store, replica)),
        REPLICA_BUDGET_BYTES,
      );
      expect([store.workloadCount, replica.workloadCount]).to.deep.equal([PODS, PODS]);
      expect(replica.workload([...store.allWorkloads()][4321]!.uid)?.workloadName).to.equal(
        [...store.allWorkloads()][4321]!.workloadName,
      );
    });
});
