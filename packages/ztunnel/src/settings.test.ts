import { expect } from 'chai';
import { SettingsError, settingsFrom } from '@ambient/runtime';
import { describeSettings, drainDeadlineMs, loadZtunnelSettings, selfCallPorts } from './settings.ts';
import type { SettingsHost } from './settings.ts';
import { workerThreads } from './settings/worker-threads.ts';
import type { WorkerThreadInputs } from './settings/worker-threads.ts';

const meshPath = './etc/istio/config/mesh';

function host(files: Record<string, string> = {}): SettingsHost {
  return {
    readFile: (path) => files[path],
    exists: (path) => path in files,
    cpuCount: 4,
    descriptorLimit: 1024,
  };
}

function load(env: Record<string, string> = {}, files: Record<string, string> = {}) {
  return loadZtunnelSettings(settingsFrom(env), host(files));
}

/** The problems of an environment that must not load, as `NAME: expected ...`. */
async function problems(env: Record<string, string>, files: Record<string, string> = {}): Promise<string[]> {
  try {
    await load(env, files);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems.map((p) => `${p.env}: ${p.expected}`);
    throw error;
  }
  return [];
}

describe('settings of ztunnel', () => {
  it('have the defaults of Istio in an empty environment', async () => {
    const settings = await load();
    expect(settings).deep.include({
      mode: 'shared',
      proxyEnabled: true,
      dedicatedWorkload: undefined,
      ownWorkload: undefined,
      ipv6Enabled: true,
      workerThreads: 2,
      drainDeadlineMs: 5000,
      log: { levels: 'info', format: 'plain' },
      metadata: {},
      token: { kind: 'none' },
      http2: { streamWindow: 4194304, connectionWindow: 16777216, frameSize: 1048576 },
      pool: { maxStreamsPerConnection: 100, unusedReleaseMs: 300_000 },
      dns: { enabled: true, host: 'localhost', port: 15053, resolvConfPath: '/etc/resolv.conf' },
      inpod: { udsPath: '/var/run/ztunnel/ztunnel.sock' },
      responseBaggage: true,
      localhostAppTunnel: true,
      socks5: false,
      withoutEffect: [],
    });
    expect(settings.ports).deep.equal({
      outbound: 15001,
      inboundPlaintext: 15006,
      inboundHbone: 15008,
      socks5: 15080,
      dns: 15053,
      admin: 15000,
      stats: 15020,
      readiness: 15021,
    });
    expect(settings.socket).deep.equal({
      keepalive: { timeMs: 180_000, intervalMs: 180_000, retries: 9 },
      userTimeoutEnabled: false,
      packetMark: 1337,
      originalSource: 'auto',
    });
    expect(settings.place.clusterId).equal('Kubernetes');
    expect(settings.ca.secretTtlMs).equal(86_400_000);
    expect(settings.ca.fakeCaDir).equal(undefined);
    expect(settings.xds.rootCert).deep.equal({
      kind: 'file',
      path: './var/run/secrets/istio/root-cert.pem',
    });
  });

  it('survive a structured clone, as data workers receive them', async () => {
    const settings = await load({ ISTIO_METAJSON_LABELS: '{"a":["b"]}' });
    expect(structuredClone(settings)).deep.equal(settings);
  });

  it('report everything that is wrong at once', async () => {
    expect(
      await problems({
        PROXY_MODE: 'sidecar',
        IPV6_ENABLED: 'maybe',
        SECRET_TTL: 'a day',
        HTTP2_FRAME_SIZE: '1024',
        RUST_LOG: 'info,access=loud',
        INSTANCE_IP: 'localhost',
        ISTIO_METAJSON_X: '{',
        COMPLIANCE_POLICY: 'fips-140-2',
      }),
    )
      .length(8)
      .and.include('PROXY_MODE: one of shared, dedicated')
      .and.include('INSTANCE_IP: an IPv4 or IPv6 address');
  });

  it('never show tokens and header values, neither in errors nor in dumps', async () => {
    const settings = await load({
      AUTH_TOKEN: 'eyJ-hush',
      XDS_HEADER_X_KEY: 'hush-1',
      CA_HEADER_X_KEY: 'hush-2',
      LOCAL_XDS: 'workloads: [] # hush-3',
    });
    expect(settings.xds.headers).deep.equal([['x_key', 'hush-1']]);
    expect(JSON.stringify(describeSettings(settings)))
      .contain('x_key')
      .not.contain('hush');
  });
});

describe('dedicated mode', () => {
  it('takes its workload from PROXY_WORKLOAD_INFO and marks no packets by default', async () => {
    const env = { PROXY_MODE: 'dedicated', PROXY_WORKLOAD_INFO: 'ns/pod-1/sa' };
    const settings = await load(env);
    expect(settings.dedicatedWorkload).deep.equal({
      namespace: 'ns',
      name: 'pod-1',
      serviceAccount: 'sa',
    });
    expect(settings.socket.packetMark).equal(undefined);
    expect((await load({ ...env, PACKET_MARK: '0x539' })).socket.packetMark).equal(1337);
  });

  it('refuses to start without it', async () => {
    expect(await problems({ PROXY_MODE: 'dedicated' })).deep.equal([
      'PROXY_WORKLOAD_INFO: namespace/name/service-account, because PROXY_MODE=dedicated',
    ]);
    for (const bad of ['a/b', 'a//c', 'a/b/c/d'])
      expect(await problems({ PROXY_MODE: 'dedicated', PROXY_WORKLOAD_INFO: bad }), bad).deep.equal([
        'PROXY_WORKLOAD_INFO: namespace/name/service-account',
      ]);
  });
});

describe('addresses of control plane and CA', () => {
  it('depend on whether the process runs in Kubernetes', async () => {
    const outside = await load();
    expect([outside.xds.address, outside.ca.address]).deep.equal([
      'https://localhost:15012',
      'https://localhost:15012',
    ]);
    const inside = await load({ KUBERNETES_SERVICE_HOST: '10.0.0.1' });
    expect([inside.xds.address, inside.ca.address]).deep.equal([
      'https://istiod.istio-system.svc:15012',
      'https://istiod.istio-system.svc:15012',
    ]);
  });

  it('get https:// if they have no scheme', async () => {
    const settings = await load({
      XDS_ADDRESS: 'istiod.other.svc:15012',
      CA_ADDRESS: 'http://[::1]:1',
    });
    expect([settings.xds.address, settings.ca.address]).deep.equal([
      'https://istiod.other.svc:15012',
      'http://[::1]:1',
    ]);
  });

  it('allow no control plane by an empty text, but no CA only with the throwaway one', async () => {
    expect((await load({ XDS_ADDRESS: '' })).xds.address).equal(undefined);
    expect(await problems({ CA_ADDRESS: '' })).deep.equal([
      'CA_ADDRESS: an address; only FAKE_CA=true does without a CA',
    ]);
    const fake = await load({ CA_ADDRESS: '', FAKE_CA: 'true', FAKE_CA_DIR: '/tmp/ca' });
    expect([fake.ca.address, fake.ca.fakeCaDir]).deep.equal([undefined, '/tmp/ca']);
  });

  it('refuse what is no address', async () => {
    expect(await problems({ XDS_ADDRESS: 'unix:///run/xds', CA_ADDRESS: 'a b' })).length(2);
  });
});

describe('files, tokens and roots', () => {
  it('take the default token file only if it is there at start', async () => {
    const path = './var/run/secrets/tokens/istio-token';
    expect((await load({}, { [path]: 't' })).token).deep.equal({ kind: 'file', path });
  });

  it('tell a token file from a literal token, and never take a missing file for a token', async () => {
    expect((await load({ AUTH_TOKEN: 'rel/token' }, { 'rel/token': 't' })).token.kind).equal('file');
    expect((await load({ AUTH_TOKEN: '/run/missing' })).token).deep.equal({
      kind: 'file',
      path: '/run/missing',
    });
    expect((await load({ AUTH_TOKEN: 'abc' })).token).deep.equal({ kind: 'literal', token: 'abc' });
  });

  it('take roots from a file, from PEM text or from the system', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----';
    const settings = await load({ XDS_ROOT_CA: 'SYSTEM', CA_ROOT_CA: pem });
    expect(settings.xds.rootCert).deep.equal({ kind: 'system' });
    expect(settings.ca.rootCert).deep.equal({ kind: 'pem', pem });
  });

  it('allow one local source of the mesh', async () => {
    expect((await load({ LOCAL_XDS_PATH: '/a.yaml' })).xds.local).deep.equal({
      kind: 'file',
      path: '/a.yaml',
    });
    expect((await load({ LOCAL_XDS: 'workloads: []' })).xds.local).deep.equal({
      kind: 'inline',
      yaml: 'workloads: []',
    });
    expect(await problems({ LOCAL_XDS_PATH: '/a.yaml', LOCAL_XDS: 'x' })).length(1);
  });
});

describe('the snapshot of the mesh', () => {
  it('is kept only where a path is set, with its key beside it unless told otherwise', async () => {
    expect((await load()).snapshot).equal(undefined);
    expect((await load({ AMBIENT_SNAPSHOT_PATH: '' })).snapshot).equal(undefined);
    const path = '/var/lib/ambient/mesh';
    expect((await load({ AMBIENT_SNAPSHOT_PATH: path })).snapshot).deep.equal({
      path,
      keyPath: `${path}.key`,
      maxAgeMs: 86_400_000,
    });
    const env = {
      AMBIENT_SNAPSHOT_PATH: path,
      AMBIENT_SNAPSHOT_KEY_PATH: '/key',
      AMBIENT_SNAPSHOT_MAX_AGE: '2h',
    };
    expect((await load(env)).snapshot).deep.equal({ path, keyPath: '/key', maxAgeMs: 7_200_000 });
    expect(await problems({ ...env, AMBIENT_SNAPSHOT_MAX_AGE: '1s' })).length(1);
  });
});

describe('the proxy config', () => {
  const mesh = [
    'defaultConfig:',
    '  discoveryAddress: istiod-mesh:15012',
    '  proxyAdminPort: 15099',
    '  statsPort: 15888',
    '  concurrency: 3',
    '  image: {imageType: distroless}',
    '  proxyMetadata: {FOO: foo, ISTIO_META_BOTH: mesh, ISTIO_META_DNS_CAPTURE: "false"}',
  ].join('\n');

  it('is read from the mesh config file', async () => {
    const settings = await load({}, { [meshPath]: mesh });
    expect(settings.ports).include({ admin: 15099, stats: 15888 });
    expect(settings.xds.address).equal('https://istiod-mesh:15012');
    expect(settings.workerThreads).equal(3);
    expect(settings.metadata).deep.equal({ FOO: 'foo', BOTH: 'mesh', DNS_CAPTURE: 'false' });
    expect(settings.dns.enabled).equal(false);
  });

  it('of the environment wins over the file, and single variables win over both', async () => {
    const env = {
      PROXY_CONFIG:
        '{"proxyAdminPort": 15999, "concurrency": 0, "proxyMetadata": {"BOTH": "env", "PLAIN": true}}',
    };
    const both = await load(env, { [meshPath]: mesh });
    expect(both.ports).include({ admin: 15999, stats: 15888 });
    expect(both.workerThreads).equal(4);
    expect(both.metadata).deep.include({ FOO: 'foo', BOTH: 'env', PLAIN: 'true' });
    const all = await load(
      { ...env, ISTIO_META_BOTH: 'var', XDS_ADDRESS: 'https://x:1', ZTUNNEL_WORKER_THREADS: '7' },
      { [meshPath]: mesh },
    );
    expect([all.metadata['BOTH'], all.xds.address, all.workerThreads]).deep.equal(['var', 'https://x:1', 7]);
  });

  it('names what is wrong in it, and where', async () => {
    expect(await problems({ PROXY_CONFIG: 'a: [' })).length(1);
    expect(await problems({ PROXY_CONFIG: 'just text' })).deep.equal(['PROXY_CONFIG: a YAML mapping']);
    expect(
      await problems(
        { PROXY_CONFIG: '{statsPort: 0, discoveryAddress: 3, proxyMetadata: {A: [1]}}' },
        { [meshPath]: 'defaultConfig: 7' },
      ),
    ).deep.equal([
      `${meshPath} defaultConfig: a mapping`,
      'PROXY_CONFIG discoveryAddress: an address such as istiod.istio-system.svc:15012',
      'PROXY_CONFIG statsPort: a port from 1 to 65535',
      'PROXY_CONFIG proxyMetadata.A: a text',
    ]);
  });

  it('reports a mesh config file that cannot be read', async () => {
    const broken: SettingsHost = {
      ...host(),
      readFile: () => {
        throw new Error('EACCES');
      },
    };
    const error: unknown = await loadZtunnelSettings(settingsFrom({}), broken).catch((e: unknown) => e);
    expect((error as Error).message)
      .contain('./etc/istio/config/mesh')
      .contain('EACCES');
  });
});

describe('metadata and headers', () => {
  it('take the cluster from ISTIO_META_CLUSTER_ID before CLUSTER_ID', async () => {
    const settings = await load({ ISTIO_META_CLUSTER_ID: 'c1', CLUSTER_ID: 'c2' });
    expect(settings.place.clusterId).equal('c1');
    expect(settings.metadata).deep.equal({ CLUSTER_ID: 'c1' });
  });

  it('may have the name of a property that every object has', async () => {
    const { jsonMetadata } = await load({ ISTIO_METAJSON___proto__: '{"a":1}' });
    expect(Object.entries(jsonMetadata)).deep.equal([['__proto__', { a: 1 }]]);
  });

  it('hold JSON values apart from texts', async () => {
    const settings = await load({ ISTIO_META_A: '{}', ISTIO_METAJSON_B: '{"x":1}' });
    expect([settings.metadata, settings.jsonMetadata]).deep.equal([{ A: '{}' }, { B: { x: 1 } }]);
  });

  it('refuse header names and values that gRPC cannot carry', async () => {
    expect(
      await problems({ 'XDS_HEADER_a b': 'x', CA_HEADER_A: 'line\nbreak', 'XDS_HEADER_a-bin': 'x' }),
    ).length(3);
  });

  it('place DNS', async () => {
    const at = async (address: string) => (await load({ ISTIO_META_DNS_PROXY_ADDR: address })).dns;
    expect(await at('127.0.0.1:5353')).deep.include({ enabled: true, host: '127.0.0.1', port: 5353 });
    expect(await at('[::1]:5353')).deep.include({ enabled: true, host: '::1', port: 5353 });
    for (const bad of ['5353', '127.0.0.1', 'a:0', 'a:70000', '[::g]:1'])
      expect(await problems({ ISTIO_META_DNS_PROXY_ADDR: bad }), bad).length(1);
    expect((await load({ ISTIO_META_DNS_CAPTURE: 'TRUE' })).dns.enabled).equal(true);
  });
});

describe('rules over several settings', () => {
  it('derive the drain deadline from the grace period', async () => {
    const table: [number | undefined, number][] = [
      [undefined, 5000],
      [30, 25_000],
      [11, 6000],
      [10, 9000],
      [2, 1000],
      [1, 1000],
      [0, 1000],
    ];
    for (const [grace, deadline] of table) expect(drainDeadlineMs(grace), String(grace)).equal(deadline);
    expect((await load({ TERMINATION_GRACE_PERIOD_SECONDS: '30' })).drainDeadlineMs).equal(25_000);
    const both = { TERMINATION_GRACE_PERIOD_SECONDS: '30', CONNECTION_TERMINATION_DEADLINE: '1m' };
    expect((await load(both)).drainDeadlineMs).equal(60_000);
  });

  it('tell required, forbidden and automatic original source apart', async () => {
    const of = async (env: Record<string, string>) => (await load(env)).socket.originalSource;
    expect(await of({})).equal('auto');
    expect(await of({ ENABLE_ORIG_SRC: 'true' })).equal('required');
    expect(await of({ ENABLE_ORIG_SRC: 'false' })).equal('off');
  });

  it('serve the own pod only if it is named whole', async () => {
    const env = { POD_NAME: 'zt-1', POD_NAMESPACE: 'istio-system', SERVICE_ACCOUNT: 'ztunnel' };
    expect((await load(env)).ownWorkload).deep.equal({
      namespace: 'istio-system',
      name: 'zt-1',
      serviceAccount: 'ztunnel',
    });
    expect((await load({ ...env, POD_NAME: '' })).ownWorkload).equal(undefined);
  });

  it('refuse on-demand discovery beside DNS, and a proxy that serves nothing', async () => {
    expect(await problems({ XDS_ON_DEMAND: 'true' })).length(1);
    expect(await problems({ ENABLE_PROXY: 'false', ISTIO_META_DNS_CAPTURE: 'false' })).length(1);
    expect(await problems({ XDS_ON_DEMAND: 'true', ISTIO_META_DNS_CAPTURE: 'false' })).deep.equal([]);
  });

  it('guard the ports of the data path against self calls', async () => {
    expect([...selfCallPorts(await load())]).deep.equal([15001, 15006, 15008]);
    const withSocks = await load({ UNSTABLE_ENABLE_SOCKS5: 'true' });
    expect([...selfCallPorts(withSocks)]).deep.equal([15001, 15006, 15008, 15080]);
  });

  it('name those that ask for what is not done here', async () => {
    const asked = await load({ INPOD_PORT_REUSE: 'false', TRANSPARENT_NETWORK_POLICIES: 'true' });
    expect(asked.withoutEffect.map(({ setting }) => setting)).deep.equal([
      'INPOD_PORT_REUSE=false',
      'TRANSPARENT_NETWORK_POLICIES=true',
    ]);
    const usual = await load({ INPOD_PORT_REUSE: 'true', TRANSPARENT_NETWORK_POLICIES: 'false' });
    expect(usual.withoutEffect).deep.equal([]);
  });

  it("read durations as Istio's ztunnel does, all of them", async () => {
    const durations = {
      CONNECTION_TERMINATION_DEADLINE: '2 min',
      POOL_UNUSED_RELEASE_TIMEOUT: '90',
      KEEPALIVE_TIME: '1m+30',
      KEEPALIVE_INTERVAL: '10*3',
      SECRET_TTL: '1w',
    };
    const { drainDeadlineMs: drainMs, pool, socket, ca } = await load(durations);
    expect([drainMs, pool.unusedReleaseMs, ca.secretTtlMs]).deep.equal([120_000, 90_000, 604_800_000]);
    expect(socket.keepalive).include({ timeMs: 90_000, intervalMs: 30_000 });
  });
});

describe('the number of data workers', () => {
  const unset: WorkerThreadInputs = {
    setting: undefined,
    concurrency: undefined,
    cpuLimit: undefined,
    cpuRequest: undefined,
    cpuCount: 4,
  };
  const table: [string, Partial<WorkerThreadInputs>, number][] = [
    ['small machine', {}, 2],
    ['a quarter of a large machine, rounded up', { cpuCount: 33 }, 9],
    ['a request above that', { cpuRequest: 5 }, 5],
    ['a limit of one is obeyed', { cpuLimit: 0.2, cpuCount: 64 }, 1],
    ['a request above the limit', { cpuLimit: 1, cpuRequest: 2.5, cpuCount: 64 }, 3],
    ['the proxy config before limits', { concurrency: 6, cpuLimit: 1 }, 6],
    ['the setting before all', { setting: { kind: 'count', count: 1 }, concurrency: 6 }, 1],
    ['a percentage, rounded up', { setting: { kind: 'percent', percent: 30 } }, 2],
    ['a tiny percentage', { setting: { kind: 'percent', percent: 0.1 } }, 1],
  ];
  for (const [name, inputs, expected] of table)
    it(name, () => {
      expect(workerThreads({ ...unset, ...inputs })).equal(expected);
    });

  it('is read from the environment', async () => {
    expect((await load({ ZTUNNEL_WORKER_THREADS: '50%' })).workerThreads).equal(2);
    expect((await load({ ZTUNNEL_WORKER_THREADS: '50%', ZTUNNEL_CPU_LIMIT: '16' })).workerThreads).equal(8);
    expect((await load({ ZTUNNEL_RESOURCE_CPU_LIMIT: '500m' })).workerThreads).equal(1);
    for (const wrong of ['', 'm', '1.5.5', '-1', '10000', '9'.repeat(400)])
      expect(await problems({ ZTUNNEL_CPU_LIMIT: wrong }), wrong).length(wrong === '' ? 0 : 1);
    for (const bad of ['0', '-1', '0%', '101%', 'many'])
      expect(await problems({ ZTUNNEL_WORKER_THREADS: bad }), bad).length(1);
  });
});
