// Recorded clusters, end to end: loaded into an API server (the lab's, or that of KUBECONFIG), followed by a whole control
// plane, received over a discovery stream, and compared with what Istio's control plane sent for them.
import { expect } from 'chai';

import {
  asStored,
  discoveryOf,
} from '../../packages/control-plane/src/translate/golden-cluster.test-data.ts';
import { intendedDiscovery } from '../../packages/control-plane/src/translate/golden-differences.test-data.ts';
import { compareDiscovery } from './harness/compare-discovery.ts';
import { DiscoveryRecorder } from './harness/discovery-recorder.ts';
import { runControlPlane } from './harness/run-control-plane.ts';
import type { RunningControlPlane } from './harness/run-control-plane.ts';
import {
  isReplaceable,
  readManifestsOf,
  Scenario,
  scenarioNames,
  shuffled,
  stripped,
} from './harness/scenario.ts';
import { TestApi } from './harness/test-api.ts';

type Resources = Readonly<Record<string, unknown>>;

describe('recorded clusters, through the API', function () {
  this.timeout(60_000);
  let api: TestApi;
  let controlPlane: RunningControlPlane;
  let recorder: DiscoveryRecorder;
  /** What is served of an API server that nobody has put anything into. */
  let empty: Resources;
  let fences = 0;

  before(async () => {
    api = await TestApi.start();
    if (await api.hasControllers())
      throw new Error(
        'recorded clusters need an API server without controllers, since those change objects: start one (etcd and kube-apiserver), and name it in KUBECONFIG',
      );
    controlPlane = await runControlPlane(api);
    recorder = new DiscoveryRecorder({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
    await recorder.ready();
    empty = { ...recorder.resources };
  });

  after(async () => {
    recorder[Symbol.dispose]();
    await controlPlane[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  /** What differs, once nothing more comes. */
  async function differences(expected: Resources): Promise<string[]> {
    const difference = (): string[] => compareDiscovery(relevant(recorder.resources), relevant(expected));
    await recorder.until(() => difference().length === 0, 'equality', 5000).catch(() => undefined);
    // Whatever was on its way when this Service was made has been served when it is.
    const name = `fence-${++fences}`;
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' } };
    await api.create({ ...service, spec: { clusterIP: 'None', ports: [{ port: 1 }] } });
    const key = `Address default/${name}.default.svc.cluster.local`;
    await recorder.until(() => key in recorder.resources, 'the Service made last');
    await api.delete(service);
    await recorder.until(() => !(key in recorder.resources), 'removal of the Service made last');
    return difference();
  }

  /** A real API server may hold more from the start; what concerns only that is not compared. */
  function relevant(resources: Resources): Resources {
    if (api.lab !== undefined) return resources;
    return Object.fromEntries(Object.entries(resources).filter(([name]) => !(name in empty)));
  }

  async function expectSame(expected: Resources, when: string): Promise<void> {
    const found = await differences(expected);
    expect(found, `${when}:\n  ${found.join('\n  ')}\n`).to.deep.equal([]);
  }

  it('serves an empty cluster as the recording did', () => {
    const kubernetes = Object.keys(discoveryOf(asStored([])));
    expect(Object.keys(empty)).to.include.members(kubernetes);
    if (api.lab !== undefined) expect(compareDiscovery(empty, discoveryOf(asStored([])))).to.deep.equal([]);
  });

  let scenario: Scenario | undefined;

  afterEach('is cleared of everything, and nothing is left', async () => {
    await scenario?.clear();
    scenario = undefined;
    await expectSame(empty, 'everything deleted');
  });

  for (const name of scenarioNames)
    describe(name, () => {
      const expected = intendedDiscovery(name);

      it('is served as it was recorded, field by field', async () => {
        scenario = new Scenario(api, readManifestsOf(name));
        await scenario.load();
        await expectSame(expected, 'in the order of the file');
      });

      it('is served the same in another order, and after every object has changed, and been made anew', async () => {
        const manifests = readManifestsOf(name);
        scenario = new Scenario(api, manifests);
        await scenario.load(shuffled(manifests, 1));
        await expectSame(expected, 'in another order');
        const seen = new Set<string>();
        for (const manifest of manifests) {
          const { labels, annotations } = manifest.metadata;
          if (labels === undefined && annotations === undefined) continue;
          await scenario.strip(manifest);
          const what = `${manifest.kind} ${manifest.metadata.name}`;
          if (!seen.has(manifest.kind))
            await expectSame(
              discoveryOf(asStored(manifests.map((each) => (each === manifest ? stripped(each) : each)))),
              `${what} stripped`,
            );
          seen.add(manifest.kind);
          await scenario.restore(manifest);
        }
        await expectSame(expected, 'everything restored');
        for (const manifest of shuffled(manifests, 2).filter(isReplaceable)) {
          await api.delete(manifest);
          await scenario.create(manifest);
        }
        await expectSame(expected, 'everything made anew');
      });
    });

  it('tells a control plane that starts late the same', async () => {
    const [name = ''] = scenarioNames;
    scenario = new Scenario(api, readManifestsOf(name));
    await scenario.load();
    await expectSame(intendedDiscovery(name), 'for a client from the start');
    await using late = await runControlPlane(api, { POD_NAME: 'late' });
    using client = new DiscoveryRecorder({ address: `127.0.0.1:${late.ports.plaintextXds}` });
    await client.ready();
    expect(compareDiscovery(client.resources, recorder.resources)).to.deep.equal([]);
  });
});
