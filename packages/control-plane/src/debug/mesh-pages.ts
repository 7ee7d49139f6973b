/** Pages of what is served to proxies, in the JSON of ztunnel's own dump, so that `istioctl ztunnel-config -f` reads them. */
import { serviceKey } from '@ambient/mesh';
import type { Service } from '@ambient/mesh';
import {
  addressResourceToMesh,
  authorizationResourceToMesh,
  dumpEndpoint,
  dumpPolicy,
  dumpService,
  dumpWorkload,
} from '@ambient/xds';
import type { DumpedEndpoint, Json } from '@ambient/xds';
import type { ResourceTable, TableEntry } from '@ambient/xds/server';

import { LongList, LongObject } from './long-json.ts';

/** The tables that proxies are served from. */
export interface ServedTables {
  readonly authorization: ResourceTable;
  readonly address: ResourceTable;
}

/** What of the tables is shown. */
export interface Shown {
  /** Only resources of this namespace; undefined: of all. */
  readonly namespace?: string | undefined;
  /** Names of addresses; undefined: all. */
  readonly addresses?: readonly string[] | undefined;
  /** Names of policies; undefined: all. */
  readonly policies?: readonly string[] | undefined;
}

/**
 * `workloads`, `services` and `policies`. Each entry is read when it is written: the parts are those of one moment only as
 * far as nothing changes meanwhile.
 */
export function meshPage(tables: ServedTables, shown: Shown = {}): LongObject {
  const { namespace } = shown;
  const services: Service[] = [];
  const endpoints = new Map<string, DumpedEndpoint[]>();
  const visible = (of: string): boolean => namespace === undefined || namespace === of;
  function* workloads(): Generator<Json | undefined> {
    for (const entry of entriesOf(tables.address, shown.addresses)) {
      const update = read(entry, addressResourceToMesh);
      if ('unreadable' in update) yield update;
      else if (update.kind === 'service') {
        if (visible(update.service.namespace)) services.push(update.service);
        yield undefined;
      } else if (update.kind === 'workload') {
        const { workload } = update;
        for (const key of Object.keys(workload.services)) gather(endpoints, key, workload);
        yield visible(workload.namespace) ? dumpWorkload(workload) : undefined;
      }
    }
  }
  function* listed(): Generator<LongObject> {
    for (const service of services) {
      const key = serviceKey(service.namespace, service.hostname);
      yield longService(service, endpointFields(key, endpoints.get(key) ?? []));
    }
  }
  return new LongObject([
    ['workloads', new LongList(workloads())],
    ['services', new LongList(listed())],
    ['policies', policyList(tables, shown)],
  ]);
}

export function policyList(tables: ServedTables, { namespace, policies }: Shown = {}): LongList {
  function* listed(): Generator<Json | undefined> {
    for (const entry of entriesOf(tables.authorization, policies)) {
      const update = read(entry, authorizationResourceToMesh);
      if ('unreadable' in update) yield update;
      else if (update.kind === 'policy')
        yield namespace === undefined || update.policy.namespace === namespace
          ? dumpPolicy(update.policy)
          : undefined;
    }
  }
  return new LongList(listed());
}

/** One resource, for the page that explains it; a service without its endpoints. */
export function dumpEntry(entry: TableEntry, isPolicy: boolean): Json {
  const update = read(entry, isPolicy ? authorizationResourceToMesh : addressResourceToMesh);
  if ('unreadable' in update) return update;
  switch (update.kind) {
    case 'workload':
      return dumpWorkload(update.workload);
    case 'service': {
      // They are listed where all are; here they would be a page of their own.
      const { endpoints: _endpoints, ...service } = dumpService(update.service, []) as {
        readonly [key: string]: Json;
      };
      return service;
    }
    case 'policy':
      return dumpPolicy(update.policy);
    case 'remove-address':
    case 'remove-policy':
      return null;
  }
}

/** One that a proxy would reject, too: it is shown by name, and the others are shown nevertheless. */
function read<U>(
  entry: TableEntry,
  convert: (resource: { name: string; resource: { value: Uint8Array } }) => U,
): U | { readonly unreadable: string; readonly error: string } {
  try {
    return convert({ name: entry.name, resource: { value: entry.resource.bytes } });
  } catch (error) {
    return { unreadable: entry.name, error: error instanceof Error ? error.message : String(error) };
  }
}

/** The entries of one moment; those by name as they are when it is their turn. */
function* entriesOf(table: ResourceTable, names: readonly string[] | undefined): Generator<TableEntry> {
  if (names === undefined) {
    yield* [...table.entries()];
    return;
  }
  for (const name of names) {
    const entry = table.get(name);
    if (entry !== undefined) yield entry;
  }
}

/** A service may have every pod of the mesh as an endpoint. */
function longService(service: Service, endpoints: Iterable<readonly [string, Json]>): LongObject {
  const short = Object.entries(dumpService(service, []) as { readonly [key: string]: Json });
  return new LongObject(
    short.map(([key, value]) => [key, key === 'endpoints' ? new LongObject(endpoints) : value]),
  );
}

function* endpointFields(
  service: string,
  workloads: readonly DumpedEndpoint[],
): Generator<readonly [string, Json]> {
  for (const workload of workloads) yield [workload.uid, dumpEndpoint(service, workload) ?? null];
}

/** Only what the dump of a service says of a workload is kept: with 50,000 pods the rest would be 50 MB. */
function gather(endpoints: Map<string, DumpedEndpoint[]>, key: string, workload: DumpedEndpoint): void {
  const { uid, status, services } = workload;
  const endpoint = { uid, status, services };
  const list = endpoints.get(key);
  if (list === undefined) endpoints.set(key, [endpoint]);
  else list.push(endpoint);
}
