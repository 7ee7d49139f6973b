import { expect } from 'chai';
import { istio, typeUrl } from '@ambient/wire';
import { chooseRoute, MeshStore } from '@ambient/mesh';
import type { Route } from '@ambient/mesh';
import { addressResourceToMesh } from '@ambient/xds';

import { Engine } from '../cluster/engine.ts';
import type { KindName, KubeObject } from '@ambient/kube';
import { testLog } from '@ambient/kube/testing';
import { objectKey } from '@ambient/kube';
import { meshDefaults } from '../translate/mesh-settings.test-data.ts';
import {
  namespaceNamed,
  podNamed,
  serviceEntry,
  serviceNamed,
  waypointNamed,
  workloadEntry,
} from '../translate/translate.test-data.ts';
import { derivations } from './derivations.ts';
import type { Finding } from './finding.ts';
import { MeshInForce } from './mesh-in-force.ts';

const LABEL = 'topology.istio.io/network';
const system = (network: string) => namespaceNamed('istio-system', { labels: { [LABEL]: network } });
const global = { labels: { 'istio.io/global': 'true' } };
const hbone = { name: 'mesh', port: 15009, protocol: 'HBONE' };

/** A Gateway in namespace ns. */
function gateway(
  name: string,
  network: string,
  addresses: { type?: string; value: string }[] = [{ type: 'IPAddress', value: '192.0.2.1' }],
  { gatewayClassName = 'istio-remote', listeners = [hbone], annotations = {} } = {},
): KubeObject {
  const extra = { labels: { [LABEL]: network }, annotations };
  return waypointNamed(name, extra, { spec: { gatewayClassName, listeners }, addresses });
}

/** A machine of network west, unless it is said otherwise, that service `web` selects. */
function machine(name: string, fields: object = {}): KubeObject {
  const spec = { address: '10.9.0.1', network: 'west', serviceAccount: 'web', ...fields };
  return workloadEntry(name, spec, { labels: { app: 'web' } });
}

const web = (extra: object = global): KubeObject => serviceNamed('web', { selector: { app: 'web' } }, extra);
const WEB = 'ns/web.ns.svc.cluster.local';
const SPLIT = `west/SplitHorizonWorkload/ns/to-west/192.0.2.1/${WEB}`;
const GATEWAY = 'NetworkGateway/west/192.0.2.1/15009';

class Rig {
  readonly mesh: MeshInForce;
  readonly engine: Engine<Finding>;

  constructor(multiNetwork: boolean, ...objects: readonly KubeObject[]) {
    this.mesh = new MeshInForce({ ...meshDefaults, multiNetwork }, testLog());
    this.engine = new Engine<Finding>({
      derivations: derivations(this.mesh, () => '2026-01-01T00:00:00Z'),
      log: testLog(),
    });
    this.mesh.onChange(() => this.engine.invalidateAll());
    this.put(...objects);
  }

  put(...objects: readonly KubeObject[]): void {
    for (const object of objects) this.engine.target(object.kind as KindName).put(objectKey(object), object);
    this.#work();
  }

  remove(object: KubeObject): void {
    this.engine.target(object.kind as KindName).remove(objectKey(object));
    this.#work();
  }

  #work(): void {
    while (!this.engine.work());
    this.engine.takeBatch();
    expect(this.engine.state().failures, 'translators that threw').to.equal(0);
  }

  get names(): string[] {
    return [...this.engine.resources(typeUrl.address)].map(({ name }) => name).sort();
  }

  #address(name: string): istio.workload.Address | undefined {
    const found = this.engine.resource(typeUrl.address, name);
    return found === undefined ? undefined : istio.workload.Address.decode(found.bytes);
  }

  workload(name: string): istio.workload.IWorkload | undefined {
    return this.#address(name)?.workload ?? undefined;
  }

  service(name: string): istio.workload.IService | undefined {
    return this.#address(name)?.service ?? undefined;
  }

  /** The way that a proxy finds for a call of a pod. */
  route(from: string, ip: string): Route {
    const store = new MeshStore();
    store.apply(
      [...this.engine.resources(typeUrl.address)].map(({ name, bytes }) =>
        addressResourceToMesh({ name, resource: { value: bytes } }),
      ),
    );
    return chooseRoute(store, {
      source: store.workload(`Kubernetes//Pod/ns/${from}`)!,
      sourceIp: '10.0.0.1',
      destination: { ip, port: 80 },
      network: this.mesh.settings.network,
      selfPorts: [],
      random: () => 0,
    });
  }
}

describe('several networks', () => {
  describe('gateways', () => {
    it('are workloads, by each address of theirs', () => {
      const rig = new Rig(
        false,
        gateway('to-west', 'west', [
          { type: 'IPAddress', value: '192.0.2.1' },
          { type: 'Hostname', value: 'west.example' },
          { type: 'IPAddress', value: 'nonsense' },
          { type: 'Other', value: '192.0.2.2' },
        ]),
      );
      expect(rig.names).to.deep.equal([GATEWAY, 'NetworkGateway/west/west.example/15009']);
      expect(rig.workload(GATEWAY)).to.deep.include({
        name: GATEWAY,
        namespace: 'ns',
        serviceAccount: 'to-west-istio-remote',
        network: 'west',
        addresses: [Uint8Array.of(192, 0, 2, 1)].map((bytes) => Buffer.from(bytes)),
      });
      expect(rig.workload('NetworkGateway/west/west.example/15009')).to.include({ hostname: 'west.example' });
    });

    it('run as whom their annotation says', () => {
      const annotations = { 'gateway.istio.io/service-account': 'porter' };
      const rig = new Rig(false, gateway('to-west', 'west', undefined, { annotations }));
      expect(rig.workload(GATEWAY)).to.include({ serviceAccount: 'porter' });
    });

    for (const [what, object] of Object.entries({
      'without a network': gateway('g', ''),
      'without an HBONE listener': gateway('g', 'west', undefined, {
        listeners: [{ ...hbone, protocol: 'TLS' }],
      }),
      'without an address': gateway('g', 'west', []),
      'of a class of waypoints': gateway('g', 'west', undefined, { gatewayClassName: 'istio-waypoint' }),
      'of class istio-east-west': gateway('g', 'west', undefined, { gatewayClassName: 'istio-east-west' }),
    }))
      it(`are none ${what}`, () => {
        expect(new Rig(false, object).names).to.deep.equal([]);
      });

    it('of class istio-east-west count for other networks where there are several', () => {
      const of = (network: string) =>
        gateway('to-west', network, undefined, { gatewayClassName: 'istio-east-west' });
      expect(new Rig(true, system('east'), of('west')).names).to.deep.equal([GATEWAY]);
      expect(new Rig(true, system('east'), of('east')).names).to.deep.equal([]);
    });
  });

  describe('without AMBIENT_ENABLE_MULTI_NETWORK', () => {
    it('each endpoint of another network is told, with the gateway to it as soon as there is one', () => {
      const uid = 'Kubernetes/networking.istio.io/WorkloadEntry/ns/vm';
      const rig = new Rig(false, system('east'), web(), machine('vm'));
      expect(rig.names).to.deep.equal([uid, WEB]);
      expect(rig.workload(uid)).to.include({ network: 'west', networkGateway: null });
      rig.put(gateway('to-west', 'west'));
      expect({ ...rig.workload(uid)?.networkGateway }).to.deep.include({
        hboneMtlsPort: 15009,
      });
      expect(rig.workload(uid)?.networkGateway?.address).to.deep.include({
        network: 'west',
        address: Buffer.of(192, 0, 2, 1),
      });
      // The first by its name, whichever came first.
      rig.put(gateway('a-way', 'west', [{ type: 'Hostname', value: 'west.example' }]));
      expect(rig.workload(uid)?.networkGateway?.hostname).to.deep.include({
        namespace: 'ns',
        hostname: 'west.example',
      });
      rig.remove(gateway('a-way', 'west'));
      expect(rig.workload(uid)?.networkGateway?.address).to.be.an('object');
      expect(rig.service(WEB)?.subjectAltNames).to.deep.equal([]);
    });

    it('a gateway to the network of an inline endpoint is told, and none for endpoints of our own', () => {
      const endpoints = [{ address: '10.9.0.1', network: 'west' }, { address: '10.9.0.2' }];
      const entry = serviceEntry('e', 'ns', {
        hosts: ['e.example'],
        ports: [{ number: 80, name: 'http' }],
        resolution: 'STATIC',
        endpoints,
      });
      const rig = new Rig(false, system('east'), entry, gateway('to-west', 'west'));
      const prefix = 'Kubernetes/networking.istio.io/ServiceEntry/ns/e';
      expect(rig.workload(`${prefix}/10.9.0.1`)?.networkGateway).to.be.an('object');
      expect(rig.workload(`${prefix}/10.9.0.2`)).to.include({ network: 'east', networkGateway: null });
    });

    it('a change of a gateway concerns those behind it alone', () => {
      const near = machine('near', { network: '' });
      const rig = new Rig(false, web(), near, machine('far'), podNamed('pod'), gateway('to-west', 'west'));
      const before = rig.engine.state().runs;
      rig.put(gateway('to-west', 'west', [{ type: 'IPAddress', value: '192.0.2.9' }]));
      // The gateway as a gateway and as a waypoint, and the machine behind it.
      expect(rig.engine.state().runs - before).to.equal(3);
    });
  });

  describe('with AMBIENT_ENABLE_MULTI_NETWORK', () => {
    const client = podNamed('client', {
      annotations: { 'ambient.istio.io/redirection': 'enabled' },
    });

    it('one workload stands for all endpoints of a global service on a network', () => {
      const rig = new Rig(
        true,
        system('east'),
        web(),
        machine('one'),
        machine('two', { address: '10.9.0.2', weight: 4, serviceAccount: 'other' }),
        machine('here', { address: '10.1.0.2', network: '', serviceAccount: 'local' }),
        machine('south', { network: 'south' }),
        gateway('to-west', 'west'),
      );
      const here = 'Kubernetes/networking.istio.io/WorkloadEntry/ns/here';
      // No gateway leads to the south.
      expect(rig.names).to.deep.equal([here, GATEWAY, WEB, SPLIT].sort());
      expect(rig.workload(SPLIT)).to.deep.include({
        name: SPLIT,
        namespace: 'ns',
        network: 'west',
        clusterId: 'Kubernetes',
        tunnelProtocol: istio.workload.TunnelProtocol.HBONE,
        capacity: { value: 5 },
        addresses: [],
      });
      const spiffe = (account: string): string => `spiffe://cluster.local/ns/ns/sa/${account}`;
      expect(rig.service(WEB)?.subjectAltNames).to.deep.equal([spiffe('other'), spiffe('web')]);
    });

    it('it is reached by a tunnel in a tunnel through the gateway', () => {
      const rig = new Rig(true, system('east'), web(), machine('one'), client, gateway('to-west', 'west'));
      expect(rig.route('client', '10.96.0.1')).to.deep.include({
        kind: 'double-hbone',
        dial: { ip: '192.0.2.1', port: 15009 },
        authority: 'web.ns.svc.cluster.local:80',
        expectedIdentities: ['spiffe://cluster.local/ns/ns/sa/to-west-istio-remote'],
        inner: {
          authority: 'web.ns.svc.cluster.local:80',
          expectedIdentities: ['spiffe://cluster.local/ns/ns/sa/web'],
        },
      });
    });

    it('a named target port does not stand in the way: the far side knows it', () => {
      const named = serviceNamed(
        'web',
        { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
        global,
      );
      const rig = new Rig(true, system('east'), named, machine('one'), client, gateway('to-west', 'west'));
      expect(rig.route('client', '10.96.0.1').kind).to.equal('double-hbone');
    });

    it('comes and goes with its endpoints, its gateway and the label of its service', () => {
      const rig = new Rig(true, system('east'), web(), machine('one'));
      expect(rig.names).to.deep.equal([WEB]);
      rig.put(gateway('to-west', 'west'));
      expect(rig.names).to.deep.equal([GATEWAY, WEB, SPLIT].sort());
      rig.put(machine('one', { weight: 3 }));
      expect(rig.workload(SPLIT)?.capacity).to.deep.include({ value: 3 });
      rig.put(web({}));
      expect(rig.names).to.deep.equal([GATEWAY, WEB].sort());
      expect(rig.service(WEB)?.subjectAltNames).to.deep.equal([]);
      rig.put(web());
      rig.remove(machine('one'));
      expect(rig.names).to.deep.equal([GATEWAY, WEB].sort());
    });

    it('endpoints of a service that is not global are not told', () => {
      const rig = new Rig(true, system('east'), web({}), machine('one'), gateway('to-west', 'west'));
      expect(rig.names).to.deep.equal([GATEWAY, WEB].sort());
    });

    it('a ServiceEntry has its inline endpoints behind the gateway, beside whom it vouches for itself', () => {
      const entry = serviceEntry(
        'e',
        'ns',
        {
          hosts: ['e.example'],
          ports: [{ number: 80, name: 'http' }],
          resolution: 'STATIC',
          endpoints: [{ address: '10.9.0.1', network: 'west' }],
          subjectAltNames: ['spiffe://cluster.local/ns/x/sa/y'],
        },
        global,
      );
      const rig = new Rig(true, system('east'), entry, gateway('to-west', 'west'));
      expect(rig.names).to.include('west/SplitHorizonWorkload/ns/to-west/192.0.2.1/ns/e.example');
      expect(rig.names.filter((name) => name.startsWith('Kubernetes/'))).to.deep.equal([]);
      expect(rig.service('ns/e.example')?.subjectAltNames).to.deep.equal([
        'spiffe://cluster.local/ns/ns/sa/default',
        'spiffe://cluster.local/ns/x/sa/y',
      ]);
    });

    it('is global by the namespace where MeshConfig says so', () => {
      const rig = new Rig(true, system('east'), web({}), machine('one'), gateway('to-west', 'west'));
      rig.put(namespaceNamed('ns', { labels: { spread: 'yes' } }), {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'istio', namespace: 'istio-system', uid: 'm' },
        data: {
          mesh: 'serviceScopeConfigs: [{namespaceSelector: {matchLabels: {spread: "yes"}}, scope: GLOBAL}]',
        },
      } as KubeObject);
      expect(rig.names).to.include(SPLIT);
    });
  });
});
