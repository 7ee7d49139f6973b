import { dumpCertificates } from '@ambient/identity';
import { MeshStore, policyWith, serviceWith, workloadWith } from '@ambient/mesh';
import { settingsFrom } from '@ambient/runtime';
import { expect } from 'chai';
import { parseDump } from '../../packages/cli/src/ztunnel-config/dump.ts';
import { certificateTable, connectionTable } from '../../packages/cli/src/ztunnel-config/tables.ts';
import { cart, cartUri, fakeCa, startMs } from '../../packages/identity/src/test-fixtures.ts';
import { configDump } from '../../packages/ztunnel/src/config-dump.ts';
import { loadZtunnelSettings } from '../../packages/ztunnel/src/settings.ts';
import type { ConnectionReport } from '../../packages/ztunnel/src/worker/messages.ts';

const connection: ConnectionReport = {
  pod: 1,
  direction: 'outbound',
  source: '10.0.0.1:40000',
  destination: '10.0.0.2:8080',
  actualDestination: '10.0.0.2:15008',
  originalDestination: '10.96.0.1:80',
  protocol: 'HBONE',
  sourceIdentity: undefined,
  destinationIdentity: undefined,
  sourceWorkload: undefined,
  destinationWorkload: undefined,
  bytesSent: 0,
  bytesReceived: 0,
  openedAtMs: 0,
};

/** `/config_dump` of shared mode, as text. */
async function dumped(): Promise<{ text: string; serial: string }> {
  const store = new MeshStore();
  const port = { servicePort: 80, targetPort: 8080, appProtocol: 'UNKNOWN' } as const;
  const address = { network: '', ip: '10.96.0.1' };
  const service = { name: 'web', namespace: 'b', hostname: 'web.b.svc.cluster.local' };
  store.apply([
    {
      kind: 'workload',
      workload: workloadWith({
        uid: 'c//Pod/b/web-1',
        name: 'web-1',
        namespace: 'b',
        addresses: ['10.0.0.2'],
        services: { 'b/web.b.svc.cluster.local': [port] },
      }),
    },
    { kind: 'service', service: serviceWith({ ...service, addresses: [address], ports: [port] }) },
    { kind: 'policy', key: 'b/deny', policy: policyWith({ namespace: 'b', name: 'deny' }) },
  ]);
  const certificate = await (await fakeCa()).issue(cart);
  const host = { readFile: () => undefined, exists: () => false, cpuCount: 2, descriptorLimit: 1024 };
  const name = { namespace: 'a', name: 'client', serviceAccount: 'client' };
  const inbound: ConnectionReport = {
    ...connection,
    direction: 'inbound',
    source: '10.0.0.2:5',
    destination: '10.0.0.1:8080',
    actualDestination: '10.0.0.1:15008',
    originalDestination: undefined,
  };
  const dump = configDump({
    settings: await loadZtunnelSettings(settingsFrom({ NODE_NAME: 'n1' }), host),
    store,
    certificates: [
      {
        identity: cartUri,
        state: 'Available',
        certChain: dumpCertificates(certificate.certificateChainPem),
        rootCerts: dumpCertificates(certificate.rootsPem),
      },
    ],
    connections: [connection, inbound],
    pods: [
      { uid: 'pod-1', name, state: 'Up', captureId: 1 },
      { uid: 'pod-2', name: { ...name, name: 'later' }, state: 'Pending', captureId: undefined },
    ],
    discovery: {},
  });
  return { text: JSON.stringify(dump), serial: certificate.serialNumber };
}

/** What istioctl's Go types make of a key: these kinds of JSON, or null, or nothing at all; anything else is an error. */
type Kind = 'text' | 'number' | 'texts' | 'numbers' | { readonly [key: string]: Kind } | readonly [Kind];
const certificate = { pem: 'text', serialNumber: 'text', validFrom: 'text', expirationTime: 'text' } as const;
const link = { src: 'text', originalDst: 'text', actualDst: 'text', protocol: 'text' } as const;
const istioctl: Kind = {
  workloads: [
    {
      uid: 'text',
      workloadIps: 'texts',
      protocol: 'text',
      name: 'text',
      namespace: 'text',
      serviceAccount: 'text',
      workloadName: 'text',
      workloadType: 'text',
      canonicalName: 'text',
      canonicalRevision: 'text',
      clusterId: 'text',
      trustDomain: 'text',
      locality: { region: 'text', zone: 'text', subzone: 'text' },
      node: 'text',
      network: 'text',
      status: 'text',
      hostname: 'text',
      capacity: 'number',
      authorizationPolicies: 'texts',
    },
  ],
  services: [
    {
      name: 'text',
      namespace: 'text',
      hostname: 'text',
      vips: 'texts',
      ports: 'numbers',
      endpoints: { 'c//Pod/b/web-1': { workloadUid: 'text', port: 'numbers' } },
      subjectAltNames: 'texts',
      ipFamilies: 'text',
    },
  ],
  policies: [{ name: 'text', namespace: 'text', scope: 'text', action: 'text' }],
  certificates: [{ identity: 'text', state: 'text', certChain: [certificate], rootCerts: [certificate] }],
  workloadState: {
    'pod-1': {
      state: 'text',
      connections: { inbound: [link], outbound: [link] },
      info: { name: 'text', namespace: 'text', serviceAccount: 'text' },
    },
  },
};

function wrong(value: unknown, kind: Kind, path = ''): string[] {
  if (value === undefined || value === null) return [];
  const all = (values: readonly unknown[], type: string): string[] =>
    values.every((each) => typeof each === type) ? [] : [`${path}: not all are a ${type}`];
  if (kind === 'text' || kind === 'number') return all([value], kind === 'text' ? 'string' : 'number');
  if (kind === 'texts') return Array.isArray(value) ? all(value, 'string') : [`${path}: no list`];
  if (kind === 'numbers') return all(Object.values(value), 'number');
  if (Array.isArray(kind))
    return Array.isArray(value)
      ? value.flatMap((each, index) => wrong(each, kind[0] as Kind, `${path}[${index}]`))
      : [`${path}: no list`];
  if (typeof value !== 'object' || Array.isArray(value)) return [`${path}: no object`];
  return Object.entries(kind).flatMap(([key, inner]) =>
    wrong((value as Record<string, unknown>)[key], inner, `${path}.${key}`),
  );
}

describe('the dump of a ztunnel in shared mode', () => {
  it('decodes into the types of istioctl', async () => {
    const value = JSON.parse((await dumped()).text) as Record<string, unknown>;
    expect(wrong(value, istioctl)).to.deep.equal([]);
    expect(value).to.include.all.keys(Object.keys(istioctl));
    expect(value['workloadState']).to.have.nested.property('pod-2.state', 'Pending');
  });

  it('shows in the tables of istioctl', async () => {
    const { text, serial } = await dumped();
    const dump = parseDump(text, 'the test');
    const leaf = certificateTable(dump, startMs).split('\n')[1]!.split(/ {2,}/);
    expect(leaf).to.deep.equal([
      cartUri,
      'Leaf',
      'Available',
      'true',
      serial,
      '2026-06-02T00:00:00Z',
      '2026-05-31T23:58:00Z',
    ]);
    const rows = connectionTable(dump)
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd().split(/ {1,}/));
    expect(rows.slice(1)).to.deep.equal([
      ['client.a', 'Inbound', '10.0.0.1:8080', 'web-1.b:5', 'HBONE'],
      ['client.a', 'Outbound', '10.0.0.1:40000', 'web-1.b:15008', 'web.b.svc.cluster.local:80', 'HBONE'],
    ]);
  });
});
