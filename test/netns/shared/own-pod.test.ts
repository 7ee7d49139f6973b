import { expect } from 'chai';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ZdsPod } from '@ambient/cni';
import { makeBackend, podCapture, PodRuleApplier, standardProbeAddress, ZdsServer } from '@ambient/cni';
import { NetworkNamespace } from '@ambient/linux';
import { Logger, LogLevels, realClock } from '@ambient/runtime';
import { NetnsLab } from '@ambient/testkit/lab';
import type { LabProcess } from '@ambient/testkit/lab';
import { fetchFrom } from '../function/call.ts';
import { logEntries, renderLocalMesh } from '../harness/index.ts';
import type { LocalPolicy, LocalWorkload } from '../harness/index.ts';

const ZTUNNEL = fileURLToPath(new URL('../../../packages/ztunnel/src/main.ts', import.meta.url));
const READY_MS = 20_000;
const silent = new Logger(new LogLevels('off'), { write: () => undefined }, 'test');

describe("ztunnel's own pod, in shared mode", () => {
  let lab: NetnsLab;
  let open: AsyncDisposableStack;

  beforeEach(() => {
    lab = NetnsLab.create();
    open = new AsyncDisposableStack();
  });
  afterEach(async () => {
    await open.disposeAsync();
    await lab.destroy();
  });

  it('is reached over HBONE, under its policies', async () => {
    const [own, client] = await Promise.all([lab.namespace('ztunnel'), lab.namespace('client')]);
    await lab.network([own, client]);
    const workload = (name: string, ips: readonly string[]): LocalWorkload => ({
      uid: `Kubernetes//Pod/default/${name}`,
      name,
      namespace: 'default',
      serviceAccount: name,
      workloadIps: ips,
      protocol: 'HBONE',
      node: 'n1',
      network: '',
      services: {},
    });
    const mesh = join(lab.directory, 'mesh.yaml');
    const denied: LocalPolicy = {
      name: 'metrics-only',
      namespace: 'default',
      scope: 'Namespace',
      action: 'Deny',
      rules: [[[{ destinationPorts: [15_021] }]]],
    };
    const workloads = [workload('ztunnel', own.addresses), workload('client', client.addresses)];
    writeFileSync(mesh, renderLocalMesh({ workloads, services: [], policies: [denied] }));
    const path = join(lab.directory, 'zds.sock');
    const netns = open.use(NetworkNamespace.open(client.path));
    const pods = new Map<string, ZdsPod>();
    const server = open.use(ZdsServer.listen({ path, pods, clock: realClock, logger: silent }));
    const authority = join(lab.directory, 'fake-ca');
    mkdirSync(authority);
    const ztunnel: LabProcess = await own.spawn(
      [process.execPath, '--disable-warning=ExperimentalWarning', ZTUNNEL],
      {
        name: 'ztunnel',
        env: {
          NODE_NAME: 'n1',
          POD_NAME: 'ztunnel',
          POD_NAMESPACE: 'default',
          SERVICE_ACCOUNT: 'ztunnel',
          FAKE_CA: 'true',
          FAKE_CA_DIR: authority,
          XDS_ADDRESS: '',
          LOCAL_XDS_PATH: mesh,
          INPOD_UDS: path,
          ISTIO_META_DNS_CAPTURE: 'false',
          CONNECTION_TERMINATION_DEADLINE: '1s',
          LOG_FORMAT: 'json',
        },
      },
    );
    await ztunnel.waitForLine(/"message":"ready"/, READY_MS);
    const defaults = { ipv6: true, dns: false, probeAddress: standardProbeAddress };
    const pod = { uid: 'c', name: 'client', namespace: 'default', serviceAccount: 'client', netns };
    await new PodRuleApplier(makeBackend('nft', true), true).apply(
      netns,
      podCapture(undefined, defaults).capture,
    );
    await server.add(pod);

    for (const ip of [own.ipv4, own.ipv6]) {
      const answer = await fetchFrom(client, ip, 15_020, { path: '/metrics' });
      expect([answer.status, answer.body.includes('workload_manager_active_proxy_count 1')]).to.deep.equal([
        200,
        true,
      ]);
    }
    const inbound = (): Record<string, unknown>[] =>
      logEntries(ztunnel).filter(({ direction }) => direction === 'inbound');
    await ztunnel.waitFor(() => (inbound().length >= 2 ? true : undefined), 'the access log');
    expect(inbound()[0]).to.include({
      'src.identity': 'spiffe://cluster.local/ns/default/sa/client',
      'dst.identity': 'spiffe://cluster.local/ns/default/sa/ztunnel',
    });

    const refused = await fetchFrom(client, own.ipv4, 15_021, { path: '/healthz/ready' }).then(
      ({ status }) => status,
      () => 'refused',
    );
    expect(refused).to.equal('refused');
    const reasons = (): unknown[] => inbound().map(({ reason }) => reason);
    await ztunnel.waitFor(() => reasons().includes('policy-denied') || undefined, 'the refusal in the log');
    ztunnel.signal('SIGTERM');
    expect(await ztunnel.exited).to.include({ code: 0 });
  });
});
