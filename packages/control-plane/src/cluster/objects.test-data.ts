// Small objects, and a set of derivations with every kind of dependency, for tests of the engine.
import type { KubeObject, Namespace, Pod, Service } from '@ambient/kube';
import { perCluster, perObject } from './derivation.ts';
import type { Derivation } from './derivation.ts';
import { labelKeys } from './selector-keys.ts';

let uid = 0;

function head<K extends string>(kind: K, name: string, namespace: string | undefined) {
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name, uid: `uid-${uid++}`, ...(namespace === undefined ? {} : { namespace }) },
  };
}

export function namespaceObject(name: string, labels: Record<string, string> = {}): Namespace {
  const object = head('Namespace', name, undefined);
  return { ...object, metadata: { ...object.metadata, labels } };
}

export function podObject(namespace: string, name: string, ip: string, app = name): Pod {
  const object = head('Pod', name, namespace);
  return { ...object, metadata: { ...object.metadata, labels: { app } }, status: { podIP: ip } };
}

export function serviceObject(namespace: string, name: string, app: string, created = ''): Service {
  const object = head('Service', name, namespace);
  return {
    ...object,
    metadata: { ...object.metadata, ...(created === '' ? {} : { creationTimestamp: created }) },
    spec: { selector: { app } },
  };
}

/** The same object with another resourceVersion. */
export function touched<T extends KubeObject>(object: T, resourceVersion: string): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

const text = (value: string): Uint8Array => Buffer.from(value);

/**
 * - each pod: its address, mode of its namespace and names of its services;
 * - each service: one resource under its `app` (several services claim one), with the number of pods of the namespace;
 * - the cluster: the names of all services in namespace `a`.
 */
export function sampleDerivations(
  onRun: (what: string) => void = () => {},
): Derivation<{ readonly type: string }>[] {
  return [
    perObject('pods', 'Pod', (pod, lookup) => {
      const { name, namespace = '', labels } = pod.metadata;
      onRun(`pod ${name}`);
      if (pod.status?.podIP === 'throw') throw new RangeError('no such address');
      if (pod.status?.podIP === undefined) return { resources: [] };
      const mode = lookup.get('Namespace', '', namespace)?.metadata.labels?.['mode'] ?? 'none';
      const services = labelKeys(namespace, labels)
        .flatMap((key) => lookup.list('Service', 'by-selector', key))
        .map((service) => service.metadata.name)
        .sort();
      const bytes = text(`${pod.status.podIP} ${mode} ${services.join()}`);
      return { resources: [{ table: 'workload', name: `${namespace}/${name}`, bytes }] };
    }),
    perObject('services', 'Service', (service, lookup) => {
      const { name, namespace = '' } = service.metadata;
      onRun(`service ${name}`);
      const pods = lookup.list('Pod', 'by-namespace', namespace).length;
      const app = service.spec?.selector?.['app'] ?? '';
      return {
        resources: [{ table: 'service', name: app, bytes: text(`${namespace}/${name} ${pods}`) }],
        problems: app === '' ? [{ path: 'spec.selector', message: 'is absent', severity: 'error' }] : [],
        conditions: [{ type: `Seen${app}` }],
      };
    }),
    perCluster('names', (lookup) => {
      onRun('names');
      const names = lookup.list('Service', 'by-namespace', 'a').map((service) => service.metadata.name);
      return { resources: [{ table: 'names', name: 'a', bytes: text(names.join()) }] };
    }),
  ];
}
