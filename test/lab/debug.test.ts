// Debug pages of a whole control plane: over HTTP on both ports, and over a discovery stream as istioctl asks for them.
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { expect } from 'chai';
import { envoy, grpcMethod } from '@ambient/wire';

import { DiscoveryRecorder } from './harness/discovery-recorder.ts';
import { runControlPlane } from './harness/run-control-plane.ts';
import type { RunningControlPlane } from './harness/run-control-plane.ts';
import { TestApi } from './harness/test-api.ts';

const { DiscoveryRequest, DiscoveryResponse } = envoy.service.discovery.v3;
const { ClientConfig, ConfigStatus } = envoy.service.status.v3;
type Response = envoy.service.discovery.v3.DiscoveryResponse;

/** By such a name a request does not count as one of this machine. */
const serviceHost = 'istiod.istio-system.svc:15014';

describe('debug pages of a control plane', function () {
  this.timeout(30_000);
  let api: TestApi;
  let controlPlane: RunningControlPlane;
  let recorder: DiscoveryRecorder;
  let rootToken: string;
  let shopToken: string;

  before(async () => {
    api = await TestApi.start({ lab: true });
    await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    for (const [namespace, name] of [
      ['istio-system', 'ztunnel'],
      ['shop', 'cart'],
    ] as const)
      await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } });
    await api.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { ports: [{ port: 80 }] },
    });
    await api.create({
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'unreadable', namespace: 'shop' },
      spec: { action: 'DENY', rules: [{ from: [{ source: { ipBlocks: ['10.0.0.0/99'] } }] }] },
    });
    rootToken = await tokenOf('istio-system', 'ztunnel');
    shopToken = await tokenOf('shop', 'cart');
    controlPlane = await runControlPlane(api);
    recorder = new DiscoveryRecorder({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
    await recorder.ready();
  });
  after(async () => {
    recorder[Symbol.dispose]();
    await controlPlane[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  async function tokenOf(namespace: string, name: string): Promise<string> {
    const answer = await api.request<{ readonly status: { readonly token: string } }>({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: ['istio-ca'] },
      },
    });
    return answer.status.token;
  }

  interface Asking {
    readonly host?: string;
    readonly token?: string;
    readonly method?: string;
    readonly port?: number;
    readonly headers?: Readonly<Record<string, string>>;
  }

  function ask(
    path: string,
    { host, token, method = 'GET', port = controlPlane.ports.monitoring, headers = {} }: Asking = {},
  ): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          host: '127.0.0.1',
          port,
          path,
          method,
          agent: false,
          headers: {
            ...headers,
            ...(host === undefined ? {} : { host }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
        },
        (response) => {
          text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
        },
      );
      request.on('error', reject).end();
    });
  }

  const page = async <T>(path: string): Promise<T> => JSON.parse((await ask(path)).body) as T;

  it('are all there on both ports, are JSON, and hold neither keys nor tokens', async () => {
    const names = await page<string[]>('/debug/list');
    expect(names).include.members(['syncz', 'config_dump', 'ambientz', 'push_status', 'clusterz', 'certz']);
    const queries: Readonly<Record<string, string>> = {
      config_dump: '?proxyID=z.istio-system',
      explain: '?resource=shop/web.shop.svc.cluster.local',
    };
    for (const port of [controlPlane.ports.monitoring, controlPlane.ports.readiness])
      for (const name of names) {
        const { status, body } = await ask(`/debug/${name}${queries[name] ?? ''}`, { port });
        if (name === 'config_dump' && status === 404) continue;
        expect(status, `${name}: ${body}`).equal(200);
        expect(() => void JSON.parse(body), name).not.throw();
        expect(body, name).not.match(/PRIVATE KEY|eyJ[\w-]+\.|ca-key/);
        expect(body.includes(rootToken) || body.includes(shopToken), name).equal(false);
      }
  });

  it('are all in the documentation', async () => {
    const documentation = readFileSync(new URL('../../docs/control-plane.md', import.meta.url), 'utf8');
    for (const name of await page<string[]>('/debug/list'))
      expect(documentation, name).match(new RegExp(`\`${name}[\`?]`));
  });

  it('say which object a resource comes from, and what is wrong with one that is refused', async () => {
    const [found] = await page<{ derivedFrom: { object: string } }[]>(
      '/debug/explain?resource=shop/web.shop.svc.cluster.local',
    );
    expect(found!.derivedFrom.object).equal('Service shop/web');
    const problems = await page<{ object: string; problems: { path: string }[] }[]>('/debug/problemz');
    expect(problems.map(({ object, problems: of }) => `${object} ${of[0]?.path}`)).deep.equal([
      'AuthorizationPolicy shop/unreadable spec.rules[0].from[0].source.ipBlocks[0]',
    ]);
  });

  it('show the proxies that are connected, and what one of them was sent', async () => {
    const [proxy] =
      await page<{ proxy: string; types: { type: string; status: string }[] }[]>('/debug/syncz');
    expect(proxy!.types.map(({ type, status }) => `${type} ${status}`)).deep.equal([
      'WADS SYNCED',
      'WDS SYNCED',
    ]);
    const dump = await page<{ services: { hostname: string }[] }>(
      `/debug/config_dump?proxyID=${proxy!.proxy}`,
    );
    expect(dump.services.map(({ hostname }) => hostname)).include('web.shop.svc.cluster.local');
  });

  it('are refused to who does not say who it is, and to accounts of other namespaces', async () => {
    const statusOf = async (path: string, asking: Asking) => (await ask(path, asking)).status;
    for (const port of [controlPlane.ports.monitoring, controlPlane.ports.readiness]) {
      const far = { host: serviceHost, port };
      expect(await statusOf('/debug/ambientz', far)).equal(401);
      expect(await statusOf('/debug/ambientz', { ...far, token: 'x.y.z' })).equal(401);
      expect(await statusOf('/debug/ambientz', { ...far, token: rootToken })).equal(200);
      expect(await statusOf('/debug/ambientz', { ...far, token: shopToken })).equal(403);
      expect(await statusOf('/debug/nothing', { ...far, token: shopToken })).equal(403);
      expect(await statusOf('/debug/config_dump?proxyID=z', { ...far, token: shopToken })).equal(404);
    }
    expect((await ask('/debug/ambientz', { host: serviceHost })).body).contains('port-forward');
  });

  it('serve metrics, version and readiness to everybody', async () => {
    const { monitoring: port, readiness } = controlPlane.ports;
    for (const path of ['/metrics', '/version'])
      expect((await ask(path, { host: serviceHost, port })).status).equal(200);
    expect(await ask('/ready', { host: serviceHost, port: readiness })).deep.equal({
      status: 200,
      body: 'ready\n',
    });
  });

  it('change log levels for this machine alone, and not for web pages', async () => {
    const statusOf = async (asking: Asking, level = 'xds=debug') =>
      (await ask(`/debug/logging?level=${level}`, { method: 'POST', ...asking })).status;
    expect(await statusOf({ host: serviceHost, token: rootToken })).equal(403);
    expect(await statusOf({ headers: { origin: 'http://localhost:15014' } })).equal(403);
    expect(await statusOf({}, 'debgu')).equal(400);
    expect(await page('/debug/logging')).deep.include({ levels: 'info' });
    expect(await statusOf({})).equal(200);
    expect(await page('/debug/logging')).deep.include({ levels: 'info,xds=debug' });
    expect((await ask('/debug/logging?reset', { method: 'POST' })).body).contains('"info"');
    expect((await ask('/debug/syncz', { method: 'DELETE' })).status).equal(405);
  });

  /** One question, as istioctl asks it. */
  function askStream(typeUrl: string, names: readonly string[], token?: string): Promise<Response> {
    const pem = Buffer.from(roots);
    const client = new Client(
      `localhost:${controlPlane.ports.secureGrpc}`,
      credentials.createSsl(pem, null, null),
    );
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    const call = client.makeBidiStreamRequest(
      grpcMethod.streamAggregatedResources,
      (request: envoy.service.discovery.v3.IDiscoveryRequest) =>
        Buffer.from(DiscoveryRequest.encode(request).finish()),
      (bytes) => DiscoveryResponse.decode(bytes),
      metadata,
    );
    return new Promise<Response>((resolve, reject) => {
      call.on('data', resolve).on('error', reject);
      call.write({
        node: { id: 'sidecar~1.1.1.1~istioctl.default~default' },
        typeUrl,
        resourceNames: [...names],
      });
    }).finally(() => {
      call.cancel();
      client.close();
    });
  }

  let roots = '';
  before(async () => {
    const secret = await api.get<never>({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'istio-system', name: 'istio-ca-secret' },
    });
    const { data } = secret as { readonly data: Readonly<Record<string, string>> };
    roots = Buffer.from(data['ca-cert.pem']!, 'base64').toString();
  });

  it('answer istioctl over a discovery stream', async () => {
    const { resources, controlPlane: by } = await askStream('istio.io/debug/syncz', [], rootToken);
    expect(JSON.parse(by!.identifier!)).deep.include({ Component: 'istiod' });
    const config = ClientConfig.decode(resources[0]!.value!);
    expect(config.genericXdsConfigs.map(({ configStatus }) => configStatus)).deep.equal([
      ConfigStatus.SYNCED,
      ConfigStatus.SYNCED,
    ]);
    const list = await askStream('istio.io/debug', ['list'], rootToken);
    expect(JSON.parse(Buffer.from(list.resources[0]!.value!).toString())).include('clusterz');
  });

  it('are refused on a discovery stream to the same callers', async () => {
    const codeOf = (typeUrl: string, names: readonly string[], token?: string): Promise<number> =>
      askStream(typeUrl, names, token).then(
        () => 0,
        ({ code }: { code: number }) => code,
      );
    expect(await codeOf('istio.io/debug', ['list'])).equal(16);
    expect(await codeOf('istio.io/debug', ['list'], shopToken)).equal(7);
    expect(await codeOf('istio.io/debug/syncz', [], shopToken)).equal(7);
    expect(await codeOf('istio.io/debug', ['config_dump?proxyID=x'], shopToken)).equal(5);
    expect(await codeOf('istio.io/debug', [], rootToken)).equal(3);
    expect(await codeOf('istio.io/debug', ['//['], rootToken)).equal(5);
    expect(await codeOf('type.googleapis.com/envoy.config.cluster.v3.Cluster', [], rootToken)).equal(12);
  });
});
