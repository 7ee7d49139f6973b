/** `/debug/explain?resource=`: where a resource comes from, and what was read of the cluster to make it. */
import { typeUrl } from '@ambient/wire';
import type { ResourceTable, TableEntry } from '@ambient/xds/server';

import type { Engine, Origin } from '../cluster/engine.ts';
import { DebugRefusal } from './debug-refusal.ts';
import { dumpEntry } from './mesh-pages.ts';

/** An address may stand for many workloads of the host's network; so many are shown. */
const maxResources = 20;

/** @throws DebugRefusal */
export function explainPage(
  engine: Pick<Engine, 'origins'>,
  tables: readonly ResourceTable[],
  query: URLSearchParams,
): unknown {
  const key = query.get('resource') ?? '';
  if (key === '')
    throw new DebugRefusal(
      400,
      'Add ?resource= with the uid of a workload, NAMESPACE/HOSTNAME of a service, NAMESPACE/NAME of a policy, or NETWORK/IP. ' +
        '/debug/ambientz lists them.',
    );
  const found: unknown[] = [];
  for (const table of tables)
    for (const entry of table.lookup(key)) {
      if (found.length >= maxResources) break;
      found.push(explanation(table, entry, engine.origins(table.typeUrl, entry.name)));
    }
  if (found.length === 0)
    throw new DebugRefusal(
      404,
      `Nothing is served under ${JSON.stringify(key.slice(0, 300))}. If an object should be, /debug/problemz tells what is wrong with it.`,
    );
  return found;
}

function explanation(table: ResourceTable, entry: TableEntry, origins: readonly Origin[]): unknown {
  const { node = '', serviceKeys = [], aliases = [] } = entry.resource;
  let members = 0;
  for (const _member of table.membersOf(entry.name)) members++;
  const [served, ...others] = origins;
  return {
    name: entry.name,
    type: table.typeUrl,
    version: entry.version,
    ...(served === undefined ? {} : { derivedFrom: originOf(served) }),
    // They claim the same name, and would be served if the one above went.
    ...(others.length === 0 ? {} : { rivals: others.map(originOf) }),
    ...(node === '' ? {} : { node }),
    ...(serviceKeys.length === 0 ? {} : { services: serviceKeys }),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(members === 0 ? {} : { endpoints: members }),
    value: dumpEntry(entry, table.typeUrl === typeUrl.authorization),
  };
}

function originOf({ derivation, kind, key, read, problems }: Origin): unknown {
  return { derivation, object: `${kind ?? ''} ${key}`.trim(), read, problems };
}
