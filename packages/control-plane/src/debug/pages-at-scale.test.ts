// What debug pages cost proxies that wait for the same thread: 50,000 pods, 200 proxies, and no turn of the event loop that is
// longer than proxies would notice. CPU time is measured, not time: what else the machine does has no say.
import { expect } from 'chai';
import { Writable } from 'node:stream';
import { istio, typeUrl } from '@ambient/wire';
import { ResourceTable } from '@ambient/xds/server';
import type { ConnectionStatus } from '@ambient/xds/server';
import { testLog } from '@ambient/kube/testing';

import { perObject } from '../cluster/derivation.ts';
import { Engine } from '../cluster/engine.ts';
import type { Finding } from '../discovery/finding.ts';
import { podNamed } from '../translate/translate.test-data.ts';
import { bytesOfPieces, jsonPieces, LongList, writePieces } from './long-json.ts';
import { debugPages } from './pages.ts';
import type { DebugPage, DebugSubject } from './pages.ts';

const PODS = 50_000;
const SERVICES = 2000;
const PROXIES = 200;
const LONGEST_TURN_MS = 50;
/** Bytes. */
const LONGEST_PAGE = 32 * 1024 * 1024;

const { Address } = istio.workload;

/** CPU time of this thread, milliseconds. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The longest of the turns that work takes. */
class Turns {
  longestMs = 0;
  #sinceMs = cpuMs();

  readonly turn = async (): Promise<void> => {
    this.end();
    await new Promise((resolve) => setImmediate(resolve));
    this.#sinceMs = cpuMs();
  };

  end(): void {
    this.longestMs = Math.max(this.longestMs, cpuMs() - this.#sinceMs);
  }
}

function subject(): DebugSubject {
  const serviceKey = (i: number): string => `ns-${i % 100}/service-${i}.ns-${i % 100}.svc.cluster.local`;
  const engine = new Engine<Finding>({
    derivations: [
      perObject('pods', 'Pod', ({ metadata: { name } }) => {
        const i = Number(name.slice(4));
        const uid = `Kubernetes//Pod/ns-${i % 100}/${name}`;
        // Every tenth is in the one service that has pods without number.
        const services = [serviceKey(i % SERVICES), ...(i % 10 === 0 ? [serviceKey(0)] : [])];
        const bytes = Address.encode({
          workload: {
            uid,
            name,
            namespace: `ns-${i % 100}`,
            addresses: [Buffer.from([10, i >> 16, i >> 8, i])],
            serviceAccount: 'default',
            node: `node-${i % 1000}`,
            services: Object.fromEntries(
              services.map((key) => [key, { ports: [{ servicePort: 80, targetPort: 8080 }] }]),
            ),
          },
        }).finish();
        return {
          resources: [{ table: typeUrl.address, name: uid, bytes, serviceKeys: services }],
          problems: [{ path: 'spec', message: 'is not as it should be', severity: 'warning' }],
        };
      }),
    ],
    log: testLog(),
  });
  for (let i = 0; i < PODS; i++) engine.target('Pod').put(`ns/pod-${i}`, podNamed(`pod-${i}`));
  engine.work();
  const address = new ResourceTable(typeUrl.address);
  const services = Array.from({ length: SERVICES }, (_, i) => {
    const [namespace = '', hostname = ''] = serviceKey(i).split('/');
    const service = {
      name: `service-${i}`,
      namespace,
      hostname,
      ports: [{ servicePort: 80, targetPort: 80 }],
    };
    return { name: serviceKey(i), bytes: Address.encode({ service }).finish() };
  });
  address.apply([...services, ...engine.resources(typeUrl.address)], []);
  const authorization = new ResourceTable(typeUrl.authorization);
  const names = [...address.entries()].map(({ name }) => name);
  const connections = Array.from({ length: PROXIES }, (_, id): ConnectionStatus => ({
    id,
    node: {
      id: `ztunnel~10.0.0.${id}~z-${id}.istio-system~istio-system.svc.cluster.local`,
      type: 'ztunnel',
      clusterId: 'Kubernetes',
      namespace: 'istio-system',
      version: '1',
      nodeName: `node-${id}`,
    },
    principal: 'spiffe://cluster.local/ns/istio-system/sa/ztunnel',
    peer: '10.0.0.1:4000',
    connectedAtMs: 0,
    types: [],
  }));
  return {
    settings: { cluster: { clusterId: 'Kubernetes' } },
    discovery: {
      engine,
      tables: [authorization, address],
      settings: { network: '' },
      scope: { hidden: 0 },
      watch: { synced: true, states: () => [] },
    },
    streams: {
      connections: () => connections,
      // One that asked for everything by name.
      holdings: (id: number) => [
        { typeUrl: typeUrl.address, asked: id < 5 ? names : [], sent: id < 5 ? names : undefined },
      ],
    },
    certificates: { authorities: { state: { roots: [], intermediates: [] } } },
    leader: { election: { leader: 'one', leading: true } },
    levels: { describe: () => ({}) },
  } as unknown as DebugSubject;
}

describe('debug pages of a mesh of 50,000 pods', () => {
  let pages: ReadonlyMap<string, DebugPage>;
  const queries: Readonly<Record<string, string>> = {
    config_dump: 'proxyID=z-1.istio-system',
    explain: 'resource=ns-0/service-0.ns-0.svc.cluster.local',
  };
  const make = (name: string): unknown =>
    pages.get(name)!.make(new URLSearchParams(queries[name] ?? ''), { kind: 'local' });

  before(function () {
    this.timeout(60_000);
    pages = debugPages(subject());
  });

  for (const name of [
    ...['ambientz', 'authorizationz', 'config_dump', 'explain', 'problemz', 'configz', 'push_status', 'krtz'],
    ...['networkz', 'clusterz', 'syncz', 'connections', 'adsz', 'mesh'],
  ])
    it(`${name} keeps nobody waiting`, async function () {
      this.timeout(60_000);
      const turns = new Turns();
      let length = 0;
      const sink = new Writable({
        write: (chunk: Buffer, _, done) => {
          length += chunk.length;
          done();
        },
      });
      await writePieces(sink, jsonPieces(make(name)), { yieldTurn: turns.turn });
      turns.end();
      expect(length).to.be.greaterThan(0);
      expect(turns.longestMs).to.be.lessThan(LONGEST_TURN_MS);
    });

  it('the longest that goes over a stream keeps nobody waiting', async function () {
    this.timeout(60_000);
    const entry = { uid: 'Kubernetes//Pod/ns/pod', text: 'x'.repeat(600) };
    const turns = new Turns();
    const bytes = await bytesOfPieces(
      jsonPieces(new LongList(Array.from({ length: 45_000 }, () => entry))),
      LONGEST_PAGE,
      turns.turn,
    );
    turns.end();
    expect(bytes?.length).to.be.greaterThan(LONGEST_PAGE * 0.85);
    expect(turns.longestMs).to.be.lessThan(LONGEST_TURN_MS);
  });
});
