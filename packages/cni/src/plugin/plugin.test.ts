import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createRawServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { standardSelectors } from '../eligibility.ts';
import { supportedVersions } from './config.ts';
import { cniCodes } from './errors.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { runPlugin } from './plugin.ts';

interface CniErrorResult {
  readonly cniVersion: string;
  readonly code: number;
  readonly msg: string;
  readonly details: string;
}

const AMBIENT = { 'istio.io/dataplane-mode': 'ambient' };
const prevResult = {
  cniVersion: '1.0.0',
  interfaces: [{ name: 'veth1' }, { name: 'eth0', sandbox: '/var/run/netns/x' }],
  ips: [{ address: '10.0.0.2/24', gateway: '10.0.0.1', interface: 1 }, { address: 'fd00::2/64' }],
  dns: {},
};

describe('CNI plugin', () => {
  let directory: string;
  let config: Record<string, unknown>;
  let variables: Record<string, string | undefined>;
  let api: Map<string, { status?: number; body: unknown }>;
  let apiRequests: string[];
  let sleeps: number[];
  let onSleep: () => void;
  let added: unknown[];
  let logged: string[];
  let answer: { status: number; body: string };
  let apiServer: Server;
  const servers: Server[] = [];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'cni-'));
    [added, logged, sleeps, apiRequests] = [[], [], [], []];
    onSleep = () => undefined;
    answer = { status: 200, body: '' };
    api = new Map([
      ['/api/v1/namespaces/shop', { body: { metadata: { labels: AMBIENT } } }],
      ['/api/v1/namespaces/shop/pods/web-1', { body: { metadata: {}, spec: {} } }],
    ]);
    config = {
      cniVersion: '1.0.0',
      name: 'cluster-network',
      type: 'istio-cni',
      plugin_log_level: 'debug',
      cni_agent_run_dir: directory,
      ambient_enabled: true,
      enablement_selectors: standardSelectors,
      exclude_namespaces: ['kube-system'],
      pod_namespace: 'istio-system',
      prevResult,
    };
    variables = {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/var/run/netns/x',
      CNI_IFNAME: 'eth0',
      CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1',
    };
    apiServer = await serve({ port: 0, host: '127.0.0.1' }, (request, response) => {
      apiRequests.push(`${request.headers.authorization} ${request.url}`);
      const found = api.get(request.url!);
      response.statusCode = found === undefined ? 404 : (found.status ?? 200);
      response.end(typeof found?.body === 'string' ? found.body : JSON.stringify(found?.body ?? {}));
    });
    writeKubeconfig('token-1');
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(directory, { recursive: true });
  });

  async function serve(
    at: { port: number; host: string } | string,
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<Server> {
    const server = createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(at, resolve));
    return server;
  }

  function writeKubeconfig(token: string): void {
    const { port } = apiServer.address() as AddressInfo;
    writeFileSync(
      join(directory, 'istio-cni-kubeconfig'),
      renderKubeconfig(`http://127.0.0.1:${port}`, undefined, token),
    );
  }

  async function startAgent(): Promise<void> {
    await serve(join(directory, 'pluginevent.sock'), (request, response) => {
      void text(request).then((body) => {
        added.push(`${request.method} ${request.url}`, JSON.parse(body));
        response.statusCode = answer.status;
        response.end(answer.body);
      });
    });
    await serve(join(directory, 'log.sock'), (request, response) => {
      void text(request).then((body) => {
        for (const line of JSON.parse(body) as string[]) {
          const { level, msg } = JSON.parse(line) as { level: string; msg: string };
          logged.push(`${level} ${msg}`);
        }
        response.end();
      });
    });
  }

  async function run(input = JSON.stringify(config)): Promise<{ result: unknown; exitCode: number }> {
    const { output, exitCode } = await runPlugin({
      variable: (name) => variables[name],
      readInput: () => input,
      sleep: (ms) => {
        sleeps.push(ms);
        onSleep();
        return Promise.resolve();
      },
    });
    return { result: output === '' ? undefined : JSON.parse(output), exitCode };
  }

  async function failure(input?: string): Promise<CniErrorResult> {
    const { result, exitCode } = await run(input);
    expect(exitCode).to.equal(1);
    return result as CniErrorResult;
  }

  it('asks the agent to capture a pod of the mesh, and hands the result on', async () => {
    await startAgent();
    expect(await run()).to.deep.equal({ result: prevResult, exitCode: 0 });
    expect(added).to.deep.equal([
      'POST /cmdadd',
      {
        Netns: '/var/run/netns/x',
        PodName: 'web-1',
        PodNamespace: 'shop',
        IPs: [
          { Interface: 1, Address: { IP: '10.0.0.2', Mask: '////AA==' }, Gateway: '10.0.0.1' },
          { Interface: null, Address: { IP: 'fd00::2', Mask: '//////////8AAAAAAAAAAA==' }, Gateway: '' },
        ],
      },
    ]);
    expect(apiRequests.sort()).to.deep.equal([
      'Bearer token-1 /api/v1/namespaces/shop',
      'Bearer token-1 /api/v1/namespaces/shop/pods/web-1',
    ]);
    expect(logged).to.deep.equal(['info shop/web-1: captured']);
  });

  it('asks the Kubernetes API over one connection, and leaves none open', async () => {
    await startAgent();
    let opened = 0;
    apiServer.on('connection', () => opened++);
    const closed = new Promise<void>((resolve) => {
      apiServer.once('connection', (socket: Socket) => socket.once('close', () => resolve()));
    });
    await run();
    await closed;
    expect([opened, apiRequests.length]).to.deep.equal([1, 2]);
  });

  it('sends null for a result without addresses', async () => {
    await startAgent();
    config['prevResult'] = { cniVersion: '1.0.0' };
    await run();
    expect(added[1]).to.have.property('IPs', null);
  });

  describe('lets pass, without asking anybody,', () => {
    const table: readonly (readonly [string, (now: { pod: (name: string) => void }) => void])[] = [
      ["the agent's own pods", ({ pod }) => pod('istio-system/istio-cni-node-x7z')],
      ['pods of excluded namespaces', ({ pod }) => pod('kube-system/web-1')],
      ['calls by other runtimes', () => (variables['CNI_ARGS'] = 'FOO=bar')],
      ['all pods while ambient mode is off', () => (config['ambient_enabled'] = false)],
    ];
    for (const [title, arrange] of table)
      it(`${title}, with neither kubeconfig nor agent`, async () => {
        rmSync(join(directory, 'istio-cni-kubeconfig'));
        arrange({
          pod: (name) => {
            const [namespace, podName] = name.split('/');
            variables['CNI_ARGS'] = `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${podName}`;
          },
        });
        expect(await run()).to.deep.equal({ result: prevResult, exitCode: 0 });
        expect([apiRequests, sleeps]).to.deep.equal([[], []]);
      });

    it("but not a pod that is only named like the agent's", async () => {
      variables['CNI_ARGS'] = 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=istio-cni-node-fake';
      expect(await failure()).to.include({ code: cniCodes.podUnknown });
    });
  });

  it('leaves a pod alone that does not belong to the mesh, whether or not there is an agent', async () => {
    api.set('/api/v1/namespaces/shop', { body: { metadata: {} } });
    expect(await run()).to.deep.equal({ result: prevResult, exitCode: 0 });
  });

  describe('does not start a pod uncaptured when', () => {
    it('the Kubernetes API is down', async () => {
      const closing = new Promise((resolve) => apiServer.close(resolve));
      await closing;
      servers.splice(servers.indexOf(apiServer), 1);
      expect(await failure()).to.include({ code: cniCodes.apiUnreachable });
      expect(sleeps).to.deep.equal([1000]);
    });

    it('the Kubernetes API is down for half a minute, if it is to be patient', async () => {
      api.set('/api/v1/namespaces/shop', { status: 503, body: '' });
      config['enable_ambient_detection_retry'] = true;
      expect(await failure()).to.include({ code: cniCodes.apiUnreachable });
      expect(sleeps).to.have.length(29);
    });

    it('only the namespace cannot be read', async () => {
      api.set('/api/v1/namespaces/shop', { status: 500, body: '' });
      expect(await failure()).to.include({ code: cniCodes.apiUnreachable });
    });

    for (const [title, body] of [
      ['no JSON', '<html>'],
      ['JSON that is no object', 'null'],
    ] as const)
      it(`the Kubernetes API answers with ${title}`, async () => {
        api.set('/api/v1/namespaces/shop', { body });
        expect(await failure()).to.include({ code: cniCodes.apiUnreachable });
      });

    for (const status of [401, 403])
      it(`its token is refused with ${status}`, async () => {
        api.set('/api/v1/namespaces/shop/pods/web-1', { status, body: {} });
        expect(await failure()).to.include({ code: cniCodes.tokenRefused });
      });

    it('there is no kubeconfig', async () => {
      rmSync(join(directory, 'istio-cni-kubeconfig'));
      const error = await failure();
      expect(error).to.include({ code: cniCodes.kubeconfigUnusable, cniVersion: '1.0.0' });
      expect(error.details).to.contain('istio-cni-node');
    });

    it('there is no agent', async () => {
      const error = await failure();
      expect(error).to.include({ code: cniCodes.agentMissing });
      expect(error.msg).to.contain('pluginevent.sock');
      expect(sleeps, 'one that follows is waited for').to.deep.equal(Array<number>(20).fill(200));
    });

    it('the agent has ended and left its socket', async () => {
      const left = createRawServer();
      await new Promise<void>((resolve) => void left.listen(join(directory, 'x.sock'), resolve));
      writeFileSync(join(directory, 'pluginevent.sock'), '');
      expect(await failure()).to.include({ code: cniCodes.agentMissing });
      await new Promise((resolve) => left.close(resolve));
    });

    it('the agent cannot capture it, and says why', async () => {
      await startAgent();
      answer = { status: 500, body: 'no ztunnel connected\n' };
      const error = await failure();
      expect(error).to.include({ code: cniCodes.agentRefused });
      expect(error.msg).to.contain('500').and.to.contain('no ztunnel connected');
      expect(logged.join()).to.contain('error shop/web-1: the node agent cannot capture');
    });
  });

  describe('beside an agent that decides itself', () => {
    beforeEach(() => {
      config['agent_decides'] = true;
    });

    it('leaves the decision to it, and asks nobody else', async () => {
      rmSync(join(directory, 'istio-cni-kubeconfig'));
      await startAgent();
      expect(await run()).to.deep.equal({ result: prevResult, exitCode: 0 });
      expect(added[1]).to.deep.include({ PodName: 'web-1', PodNamespace: 'shop' });
      expect([apiRequests, sleeps]).to.deep.equal([[], []]);
    });

    it("still does not ask it for the agent's own pods", async () => {
      await startAgent();
      variables['CNI_ARGS'] = 'K8S_POD_NAMESPACE=istio-system;K8S_POD_NAME=istio-cni-node-x7z';
      expect(await run()).to.have.property('exitCode', 0);
      expect(added).to.deep.equal([]);
    });

    describe('that hangs', () => {
      let gone: Promise<void>;
      beforeEach(async function () {
        this.timeout(10_000);
        gone = new Promise((resolve) => {
          void serve(join(directory, 'pluginevent.sock'), (request) => {
            added.push(`${request.method} ${request.url}`);
            request.once('close', resolve);
          });
        });
        await serve(join(directory, 'log.sock'), (_request, response) => response.end());
      });

      it('starts a pod that does not belong to the mesh after a second, and takes the request back', async function () {
        this.timeout(10_000);
        api.set('/api/v1/namespaces/shop', { body: { metadata: {} } });
        const from = performance.now();
        expect(await run()).to.deep.equal({ result: prevResult, exitCode: 0 });
        expect(performance.now() - from).to.be.within(900, 4000);
        await gone;
      });

      it('does not start one that does', async function () {
        this.timeout(15_000);
        expect(await failure()).to.include({ code: cniCodes.agentSilent });
        expect(added).to.deep.equal(['POST /cmdadd']);
        expect(apiRequests).to.have.length(2);
      });

      it('tells of the Kubernetes API when that is down, too', async function () {
        this.timeout(15_000);
        api.set('/api/v1/namespaces/shop', { status: 503, body: '' });
        expect(await failure()).to.include({ code: cniCodes.apiUnreachable });
      });
    });

    const refusals: readonly (readonly [string, () => Promise<void> | void, number])[] = [
      ['it is not there', () => undefined, cniCodes.agentMissing],
      [
        'it refuses',
        () => {
          answer = { status: 500, body: 'no ztunnel connected' };
          return startAgent();
        },
        cniCodes.agentRefused,
      ],
    ];
    for (const [title, arrange, code] of refusals)
      describe(`when ${title}`, () => {
        it('starts a pod that does not belong to the mesh', async () => {
          await arrange();
          api.set('/api/v1/namespaces/shop', { body: { metadata: {} } });
          expect(await run()).to.deep.equal({ result: prevResult, exitCode: 0 });
        });

        it('does not start one that does, and asks it once', async () => {
          await arrange();
          expect(await failure()).to.include({ code });
          expect(added.filter((each) => each === 'POST /cmdadd').length).to.be.at.most(1);
        });

        it('tells of the Kubernetes API when that is what is down', async () => {
          await arrange();
          api.set('/api/v1/namespaces/shop', { status: 503, body: '' });
          expect(await failure()).to.include({ code: cniCodes.apiUnreachable });
        });

        it('tells of the token when that is refused', async () => {
          await arrange();
          api.set('/api/v1/namespaces/shop', { status: 401, body: '' });
          expect(await failure()).to.include({ code: cniCodes.tokenRefused });
        });
      });
  });

  it('uses a token that the agent has renewed meanwhile', async () => {
    await startAgent();
    api.set('/api/v1/namespaces/shop/pods/web-1', { status: 401, body: {} });
    onSleep = () => {
      writeKubeconfig('token-2');
      api.set('/api/v1/namespaces/shop/pods/web-1', { body: {} });
    };
    expect(await run()).to.have.property('exitCode', 0);
    expect(apiRequests.at(-1)).to.contain('token-2');
  });

  it('finds an agent that comes while it waits, and one that follows another amid a request', async () => {
    const first = await serve(join(directory, 'pluginevent.sock'), (request) => request.destroy());
    onSleep = () => {
      onSleep = () => undefined;
      first.closeAllConnections();
      first.close();
      void startAgent();
    };
    config['agent_decides'] = true;
    expect(await run()).to.deep.equal({ result: prevResult, exitCode: 0 });
    expect(added[1]).to.deep.include({ PodName: 'web-1' });
    expect(sleeps).to.have.length.within(1, 20);
  });

  for (const command of ['DEL', 'CHECK', 'GC', 'STATUS'])
    it(`succeeds with ${command}, without an agent`, async () => {
      variables = { CNI_COMMAND: command };
      expect(await run()).to.deep.equal({ result: undefined, exitCode: 0 });
    });

  it('tells its versions in the version it is asked in', async () => {
    variables = { CNI_COMMAND: 'VERSION' };
    expect((await run('{"cniVersion":"0.4.0"}')).result).to.deep.equal({
      cniVersion: '0.4.0',
      supportedVersions,
    });
    expect((await run('garbage')).result).to.have.property('cniVersion', '1.1.0');
  });

  describe('refuses by name', () => {
    const table: readonly (readonly [string, () => string | undefined, number, string])[] = [
      ['a config that is no JSON', () => '{', cniCodes.undecodable, 'no JSON'],
      ['a config that is no object', () => '[]', cniCodes.undecodable, 'no object'],
      ['an unknown version', () => set({ cniVersion: '2.0.0' }), cniCodes.incompatibleVersion, '2.0.0'],
      [
        'a chain that it is first in',
        () => set({ prevResult: undefined }),
        cniCodes.invalidConfig,
        'prevResult',
      ],
      [
        'a result of the wrong shape',
        () => set({ prevResult: { ips: [{}] } }),
        cniCodes.invalidConfig,
        'ips[0].address',
      ],
      ['a selector', () => set({ enablement_selectors: {} }), cniCodes.invalidConfig, 'enablement_selectors'],
      ['a list', () => set({ exclude_namespaces: 'a' }), cniCodes.invalidConfig, 'exclude_namespaces'],
      ['a flag', () => set({ ambient_enabled: 'yes' }), cniCodes.invalidConfig, 'ambient_enabled'],
      ['an unknown command', () => vary({ CNI_COMMAND: 'RUN' }), cniCodes.invalidEnvironment, 'CNI_COMMAND'],
      [
        'variables that are missing',
        () => vary({ CNI_NETNS: undefined, CNI_IFNAME: '' }),
        cniCodes.invalidEnvironment,
        'CNI_NETNS, CNI_IFNAME',
      ],
      [
        'a pod name that would be a path',
        () => vary({ CNI_ARGS: 'K8S_POD_NAMESPACE=../x;K8S_POD_NAME=y' }),
        cniCodes.invalidEnvironment,
        'CNI_ARGS',
      ],
    ];
    const set = (changed: Record<string, unknown>): string => JSON.stringify({ ...config, ...changed });
    const vary = (changed: Record<string, string | undefined>): undefined => {
      Object.assign(variables, changed);
    };
    for (const [title, arrange, code, named] of table)
      it(title, async () => {
        const error = await failure(arrange());
        expect(error).to.include({ code });
        expect(error.msg).to.contain(named);
        expect(error.details).to.not.equal('');
      });
  });
});
