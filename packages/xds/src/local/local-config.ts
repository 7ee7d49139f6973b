import { serviceKey } from '@ambient/mesh';
import type { MeshUpdate, PortMapping, Workload } from '@ambient/mesh';
import { isScalar, isSeq, parseDocument } from 'yaml';
import type { CollectionTag, ScalarTag } from 'yaml';

import { validated } from '../convert/validated.ts';
import { FieldError, LocalSourceError, RejectedResourceError } from '../errors.ts';
import { localService, localWorkload } from './local-entries.ts';
import type { LocalEndpoint } from './local-entries.ts';
import { localPolicy, matchKinds, TaggedMatch } from './local-policy.ts';
import { listOf, optional, record } from './schema.ts';
import type { Check } from './schema.ts';

/** What a local mesh document says. */
export interface LocalConfig {
  /** Updates by their identity, in the order policies, services, workloads: a workload never lacks what it refers to. */
  readonly updates: ReadonlyMap<string, MeshUpdate>;
  readonly rejected: readonly RejectedResourceError[];
  /** Identities of rejected entries, as far as they can be told: what was in force of them stays. */
  readonly rejectedIds: ReadonlySet<string>;
}

/**
 * Reads a mesh in YAML (LOCAL_XDS, LOCAL_XDS_PATH): lists `workloads`, `services` and `policies`. A bad entry is rejected by
 * name and the rest holds; so is the second of two entries with one key.
 *
 * Looser than Istio's ztunnel in three ways that change no file it accepts: `services` of a workload may be absent, string
 * matches may be `{Exact: x}`, and a workload without uid gets one.
 *
 * @throws LocalSourceError LOCAL_XDS_MALFORMED if the document as a whole is unusable
 */
export function parseLocalConfig(source: string): LocalConfig {
  let lists: { workloads: unknown[]; services: unknown[]; policies: unknown[] };
  try {
    lists = topLevel(parseYaml(source), '');
  } catch (error) {
    if (error instanceof LocalSourceError) throw error;
    throw malformed(error instanceof Error ? error.message : String(error), error);
  }
  const collector = new Collector();
  for (const [i, entry] of lists.policies.entries())
    collector.take(`policies[${i}]`, entry, localPolicy, (policy) => {
      const key = `${policy.namespace}/${policy.name}`;
      return { kind: 'policy', key, policy };
    });
  const endpoints: { path: string; service: string; list: readonly LocalEndpoint[] }[] = [];
  for (const [i, entry] of lists.services.entries()) {
    const path = `services[${i}]`;
    collector.take(path, entry, localService, ({ service, endpoints: list }) => {
      if (list.length > 0)
        endpoints.push({ path, service: serviceKey(service.namespace, service.hostname), list });
      return { kind: 'service', service };
    });
  }
  for (const [i, entry] of lists.workloads.entries())
    collector.take(`workloads[${i}]`, entry, localWorkload, (workload) => ({ kind: 'workload', workload }));
  for (const { path, service, list } of endpoints) collector.addEndpoints(path, service, list);
  return collector;
}

/** Identity of an update over kinds, for comparing two states of the mesh. */
export function updateId(update: MeshUpdate): string {
  switch (update.kind) {
    case 'workload':
      return `address ${update.workload.uid}`;
    case 'service':
      return `address ${serviceKey(update.service.namespace, update.service.hostname)}`;
    case 'remove-address':
      return `address ${update.key}`;
    case 'policy':
    case 'remove-policy':
      return `policy ${update.key}`;
  }
}

const anything: Check<unknown> = (value) => value;
const emptyList: unknown[] = [];
const listOrNothing: Check<unknown[]> = (value, path) =>
  value === null ? [] : listOf(anything)(value, path);
const topLevel = record({
  workloads: optional(listOrNothing, emptyList),
  services: optional(listOrNothing, emptyList),
  policies: optional(listOrNothing, emptyList),
});

class Collector implements LocalConfig {
  readonly updates = new Map<string, MeshUpdate>();
  readonly rejected: RejectedResourceError[] = [];
  readonly rejectedIds = new Set<string>();
  readonly #firstPath = new Map<string, string>();

  take<T>(path: string, entry: unknown, check: Check<T>, toUpdate: (value: T) => MeshUpdate): void {
    const { name, id } = guessIdentity(path, entry);
    try {
      const update = validated(toUpdate(check(entry, path)), path);
      const known = updateId(update);
      const first = this.#firstPath.get(known);
      if (first !== undefined) {
        throw new FieldError(
          path,
          `has the same key as ${first}, which is kept; rename or delete one of them`,
        );
      }
      this.#firstPath.set(known, path);
      this.updates.set(known, update);
    } catch (error) {
      this.rejected.push(new RejectedResourceError(name, error));
      this.rejectedIds.add(id);
    }
  }

  addEndpoints(path: string, service: string, list: readonly LocalEndpoint[]): void {
    for (const endpoint of list) {
      const id = `address ${endpoint.workloadUid}`;
      const update = this.updates.get(id);
      if (update?.kind !== 'workload') {
        const problem = `no workload has the uid ${JSON.stringify(endpoint.workloadUid)}`;
        this.rejected.push(new RejectedResourceError(service, new FieldError(`${path}.endpoints`, problem)));
        continue;
      }
      const services: Record<string, readonly PortMapping[]> = { ...update.workload.services };
      services[service] ??= endpoint.port;
      const workload: Workload = { ...update.workload, services };
      this.updates.set(id, { kind: 'workload', workload });
    }
  }
}

/** The name of an entry for messages and its identity, from whatever of it is usable. */
function guessIdentity(path: string, entry: unknown): { name: string; id: string } {
  const fields = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : {};
  const part = (key: string): string => (typeof fields[key] === 'string' ? fields[key] : '');
  const namespace = part('namespace');
  if (path.startsWith('policies')) {
    const key = `${namespace}/${part('name')}`;
    return { name: key === '/' ? path : key, id: `policy ${key}` };
  }
  if (path.startsWith('services')) {
    const key = `${namespace}/${part('hostname')}`;
    return { name: key === '/' ? path : key, id: `address ${key}` };
  }
  const uid = part('uid') || `${part('clusterId') || 'Kubernetes'}//Pod/${namespace}/${part('name')}`;
  return {
    name: part('uid') || (part('name') ? `${namespace}/${part('name')}` : path),
    id: `address ${uid}`,
  };
}

function parseYaml(source: string): unknown {
  const document = parseDocument(source, {
    version: '1.2',
    schema: 'core',
    customTags: [...tags],
    logLevel: 'error',
  });
  const problem = document.errors[0];
  if (problem !== undefined) throw malformed(problem.message, problem);
  try {
    // The alias limit stops a document that unfolds to far more than its own size.
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error), error);
  }
}

function malformed(reason: string, cause: unknown): LocalSourceError {
  return new LocalSourceError(
    'LOCAL_XDS_MALFORMED',
    `the local mesh document cannot be used: ${reason}; correct LOCAL_XDS or the file at LOCAL_XDS_PATH`,
    { cause },
  );
}

const scalarTags: ScalarTag[] = Object.entries(matchKinds).map(([name, kind]) => ({
  tag: `!${name}`,
  resolve: (value: string) => new TaggedMatch(kind, kind === 'presence' ? '' : value),
}));
const presenceList: CollectionTag = {
  tag: '!Presence',
  collection: 'seq',
  resolve(node, onError) {
    if (!isSeq(node) || node.items.some((item) => !isScalar(item) || item.value !== null))
      onError('!Presence takes an empty list');
    return new TaggedMatch('presence', '');
  },
};
const tags = [...scalarTags, presenceList];
