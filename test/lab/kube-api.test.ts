// The Kubernetes side of the control plane against an API server: the lab's, or a real one whose kubeconfig KUBECONFIG names.
import { expect } from 'chai';
import { KubeConfig } from '@kubernetes/client-node';
import { LabApi } from '@ambient/lab';
import { Logger, LogLevels, silentSink } from '@ambient/runtime';

import {
  ApplyQueue,
  HttpLeaseApi,
  KubeClient,
  KubeConnection,
  KubeStatusError,
  LeaderElection,
} from '@ambient/kube';
import { ClusterWatch } from '../../packages/control-plane/src/watch/cluster-watch.ts';
import { Driver } from '../../packages/control-plane/src/cluster/driver.ts';
import { Engine } from '../../packages/control-plane/src/cluster/engine.ts';
import { perObject } from '../../packages/control-plane/src/cluster/derivation.ts';

const log = new Logger(new LogLevels('error'), silentSink, 'test');
const namespace = `kube-api-test-${process.pid}`;
const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const crdName = 'workloadentries.networking.istio.io';

/** Waits for what an API server brings about; the test's timeout ends it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe('control plane and Kubernetes API', function () {
  this.timeout(30_000);
  let lab: LabApi | undefined;
  let connection: KubeConnection;
  let client: KubeClient;

  before(async () => {
    const file = process.env['KUBECONFIG'];
    if (file !== undefined) connection = KubeConnection.fromFile(file);
    else {
      lab = await LabApi.start({ host: '127.0.0.1', port: 0 });
      const config = new KubeConfig();
      config.loadFromString(lab.kubeconfig);
      connection = new KubeConnection(config);
    }
    client = new KubeClient(connection);
    await create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
  });

  after(async () => {
    await client.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
    connection[Symbol.dispose]();
    await lab?.stop();
  });

  function create(path: string, body: unknown): Promise<unknown> {
    return client.request({ method: 'POST', path, body });
  }

  function service(name: string) {
    const spec = { ports: [{ name: 'http', port: 80 }], selector: { app: name } };
    return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
  }

  const services = `/api/v1/namespaces/${namespace}/services`;
  const entries = `/apis/networking.istio.io/v1/namespaces/${namespace}/workloadentries`;

  /** @returns false if there is such a kind already */
  async function define(): Promise<boolean> {
    const names = { kind: 'WorkloadEntry', plural: 'workloadentries', singular: 'workloadentry' };
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    try {
      await create(crdPath, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: crdName },
        spec: { group: 'networking.istio.io', scope: 'Namespaced', names, versions },
      });
      return true;
    } catch (error) {
      if (error instanceof KubeStatusError && error.status === 409) return false;
      throw error;
    }
  }

  it('follows objects from the list on, and a custom kind from its definition to its end', async () => {
    const served = new Map<string, string>();
    const engine = new Engine({
      log,
      onWork: () => driver.wake(),
      derivations: [
        perObject('services', 'Service', ({ metadata, spec }, lookup) => {
          const entries = lookup.list('WorkloadEntry', 'by-namespace', metadata.namespace ?? '').length;
          const bytes = Buffer.from(`${spec?.ports?.[0]?.targetPort} ${entries}`);
          const ours = metadata.namespace === namespace;
          return { resources: ours ? [{ table: 't', name: metadata.name, bytes }] : [] };
        }),
      ],
    });
    const driver = new Driver({
      engine,
      onBatch: (batch) => {
        for (const { upserts, removals } of batch.values()) {
          for (const { name, bytes } of upserts) served.set(name, Buffer.from(bytes).toString());
          for (const name of removals) served.delete(name);
        }
      },
    });
    await create(services, service('first'));
    const watch = new ClusterWatch({
      client,
      log,
      target: (kind) => engine.target(kind),
      configMap: { namespace: 'istio-system', name: 'istio' },
      onSynced: () => driver.start(),
    });
    watch.start();
    try {
      await until(() => served.get('first') === '80 0');
      await create(services, service('second'));
      await until(() => served.get('second') === '80 0');

      const defined = await define();
      await until(() =>
        watch.states().some(({ kind, reflector }) => kind === 'WorkloadEntry' && reflector?.synced),
      );
      await create(entries, {
        apiVersion: 'networking.istio.io/v1',
        kind: 'WorkloadEntry',
        metadata: { name: 'machine', namespace },
        spec: { address: '10.0.0.1' },
      });
      await until(() => served.get('first') === '80 1' && served.get('second') === '80 1');
      // A definition that was there already is somebody's.
      await client.request({
        method: 'DELETE',
        path: defined ? `${crdPath}/${crdName}` : `${entries}/machine`,
      });
      await until(() => served.get('first') === '80 0');
      await client.request({ method: 'DELETE', path: `${services}/second` });
      await until(() => !served.has('second'));
    } finally {
      await watch.stop();
      driver[Symbol.dispose]();
    }
  });

  it('applies a condition to a status, and leaves those of others', async () => {
    await create(services, service('status'));
    using queue = new ApplyQueue({ client, log, perSecond: 20 });
    queue.start();
    const condition = (type: string) => ({
      type,
      status: 'True',
      reason: 'Tested',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    for (const type of ['One', 'Two'])
      queue.submit({
        path: `${services}/status`,
        subresource: 'status',
        fieldManager: `test-${type}`,
        body: {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'status', namespace },
          status: { conditions: [condition(type)] },
        },
      });
    await until(() => queue.written === 2);
    const object = await client.request<{ status: { conditions: { type: string }[] } }>({
      path: `${services}/status`,
    });
    expect(object.status.conditions.map(({ type }) => type).sort()).deep.equal(['One', 'Two']);
  });

  it('of two candidates one leads; the other follows when it steps down', async () => {
    const events: string[] = [];
    const candidate = (identity: string): LeaderElection =>
      new LeaderElection({
        api: new HttpLeaseApi(client, namespace, 'leader'),
        identity,
        log,
        retryMs: 100,
        onStarted: () => events.push(`${identity} leads`),
        onStopped: () => events.push(`${identity} stops`),
      });
    const [a, b] = [candidate('a'), candidate('b')];
    a.start();
    await until(() => a.leading);
    b.start();
    await until(() => b.leader === 'a');
    await a.stop();
    await until(() => b.leading);
    await b.stop();
    expect(events).deep.equal(['a leads', 'a stops', 'b leads', 'b stops']);
  });

  it('is refused by name', async () => {
    try {
      await client.request({ path: `${services}/absent` });
      expect.fail('it is not there');
    } catch (error) {
      expect(error).instanceOf(KubeStatusError);
      expect((error as KubeStatusError).status).equal(404);
    }
  });
});
