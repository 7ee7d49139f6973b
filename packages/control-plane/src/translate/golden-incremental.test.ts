import { Logger, LogLevels, silentSink } from '@ambient/runtime';
import { istio } from '@ambient/wire';
import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import type { Derivation, DerivedResource } from '../cluster/derivation.ts';
import { perObject } from '../cluster/derivation.ts';
import { Engine } from '../cluster/engine.ts';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { KindName, KubeObject } from '@ambient/kube';
import { objectKey } from '@ambient/kube';
import type { AddressResource } from './address-resource.ts';
import { serviceResource, workloadResource } from './address-resource.ts';
import { translateEndpointSlice } from './endpoint-slice.ts';
import { readScenario } from './golden-cluster.test-data.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { readMeshSettings } from './mesh-settings.ts';
import { meshDefaults } from './mesh-settings.test-data.ts';
import { translatePod } from './pod.ts';
import { translateAuthorizationPolicy } from './policies/authorization-policy.ts';
import { translatePeerAuthentication } from './policies/peer-authentication.ts';
import { translateServiceEntry } from './service-entry.ts';
import { translateService } from './service.ts';
import { translateWorkloadEntry } from './workload-entry.ts';

const scenarios = readdirSync(new URL('golden/scenarios', import.meta.url))
  .map((file) => file.replace(/\.yaml$/, ''))
  .sort();

const meshOf = (lookup: ClusterLookup): MeshSettings =>
  readMeshSettings(
    meshDefaults,
    lookup.get('ConfigMap', 'istio-system', 'istio'),
    lookup.get('Namespace', '', 'istio-system'),
  ).settings;

const address = (resource: AddressResource): DerivedResource => ({ ...resource, table: 'address' });

function policy(name: string, message: istio.security.IAuthorization): DerivedResource {
  return { table: 'policy', name, bytes: istio.security.Authorization.encode(message).finish() };
}

const workloads = (found: readonly (istio.workload.IWorkload | undefined)[]): DerivedResource[] =>
  found.flatMap((workload) => (workload === undefined ? [] : [address(workloadResource(workload))]));

const services = (found: readonly (istio.workload.IService | undefined)[]): DerivedResource[] =>
  found.flatMap((service) => (service === undefined ? [] : [address(serviceResource(service))]));

const derivations: readonly Derivation[] = [
  perObject('pods', 'Pod', (pod, lookup) => ({
    resources: workloads([translatePod(pod, lookup, meshOf(lookup)).workload]),
  })),
  perObject('workload-entries', 'WorkloadEntry', (entry, lookup) => ({
    resources: workloads([translateWorkloadEntry(entry, lookup, meshOf(lookup)).workload]),
  })),
  perObject('slices', 'EndpointSlice', (slice, lookup) => ({
    resources: workloads(translateEndpointSlice(slice, lookup, meshOf(lookup)).workloads),
  })),
  perObject('services', 'Service', (service, lookup) => ({
    resources: services([translateService(service, lookup, meshOf(lookup)).service]),
  })),
  perObject('service-entries', 'ServiceEntry', (entry, lookup) => {
    const found = translateServiceEntry(entry, lookup, meshOf(lookup));
    return { resources: [...services(found.services), ...workloads(found.workloads)] };
  }),
  perObject('authorization-policies', 'AuthorizationPolicy', (object, lookup) => {
    const { name, authorization } = translateAuthorizationPolicy(object, meshOf(lookup));
    return { resources: authorization === undefined ? [] : [policy(name, authorization)] };
  }),
  perObject('peer-authentications', 'PeerAuthentication', (object, lookup) => {
    const { policies } = translatePeerAuthentication(object, lookup, meshOf(lookup));
    return { resources: Array.from(policies, ([name, message]) => policy(name, message)) };
  }),
];

/** An engine with the translators, fed by hand. */
class Cluster {
  readonly #engine: Engine;

  constructor(objects: readonly KubeObject[]) {
    const log = new Logger(new LogLevels('error'), silentSink, 'engine');
    this.#engine = new Engine({ derivations, log });
    this.put(...objects);
  }

  put(...objects: readonly KubeObject[]): void {
    for (const object of objects) {
      this.#engine.target(object.kind as KindName).put(objectKey(object), object);
    }
  }

  remove(object: KubeObject): void {
    this.#engine.target(object.kind as KindName).remove(objectKey(object));
  }

  /** Every resource, by table and name, as text. */
  resources(): Record<string, string> {
    while (!this.#engine.work());
    expect(this.#engine.state().failures, 'translators that have thrown').to.equal(0);
    const found: Record<string, string> = {};
    this.#engine.takeBatch();
    for (const table of ['address', 'policy']) {
      for (const { name, bytes } of this.#engine.resources(table)) {
        found[`${table} ${name}`] = Buffer.from(bytes).toString('hex');
      }
    }
    return found;
  }
}

/** Without its labels, annotations, spec and status: what others may have read of it has changed. */
function bare(object: KubeObject): KubeObject {
  const { name, namespace, uid, creationTimestamp } = object.metadata;
  const metadata = {
    name,
    uid,
    ...(namespace !== undefined && { namespace }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
  };
  return { apiVersion: object.apiVersion, kind: object.kind, metadata, spec: {}, status: {} };
}

/** With other target ports: who finds it by selector or host finds it still. */
function retargeted(object: KubeObject): KubeObject {
  const spec = object.spec as { readonly ports?: unknown } | undefined;
  if (!Array.isArray(spec?.ports)) return object;
  const ports = (spec.ports as object[]).map((port) => ({ ...port, targetPort: 4321 }));
  return { ...object, spec: { ...spec, ports } };
}

/** With an age that turns the order of claims around. */
function rejuvenated(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, creationTimestamp: '2099-01-01T00:00:00Z' } };
}

const changes = { bare, retargeted, rejuvenated };

describe('recorded clusters that change', () => {
  for (const scenario of scenarios) {
    it(`${scenario}: after each removal, change and return of an object, as if derived afresh`, function () {
      this.timeout(20_000);
      const objects = readScenario(scenario);
      const whole = new Cluster(objects).resources();
      expect(whole).not.to.be.empty;
      const cluster = new Cluster(objects);
      expect(cluster.resources()).to.deep.equal(whole);
      for (const object of objects) {
        const others = objects.filter((other) => other !== object);
        cluster.remove(object);
        const what = `${object.kind} ${object.metadata.name}`;
        expect(cluster.resources(), `${what} removed`).to.deep.equal(new Cluster(others).resources());
        cluster.put(object);
        expect(cluster.resources(), `${what} back`).to.deep.equal(whole);
        for (const [how, change] of Object.entries(changes)) {
          const changed = change(object);
          cluster.put(changed);
          const fresh = new Cluster([...others, changed]).resources();
          expect(cluster.resources(), `${what} ${how}`).to.deep.equal(fresh);
          cluster.put(object);
          expect(cluster.resources(), `${what} restored`).to.deep.equal(whole);
        }
      }
    });
  }
});
