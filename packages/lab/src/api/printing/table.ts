import type { Clock } from '@ambient/runtime';

import type { TablePrinter } from '../server/representation.ts';
import { columnsOf } from './columns.ts';

/** Prints the tables that `kubectl get` shows (meta.k8s.io `Table`). */
export function printTable(clock: Clock): TablePrinter {
  return (items, metadata, target, include) => {
    const columns = columnsOf(target);
    const nowMs = clock.nowMs();
    return {
      metadata,
      columnDefinitions: columns.map(({ name, type, format, description, priority }) => ({
        name,
        type,
        format: format ?? (name === 'Name' ? 'name' : ''),
        description: description ?? '',
        priority: priority ?? 0,
      })),
      rows: items.map((item) => ({
        cells: columns.map((column) => column.cell(item, nowMs)),
        ...(include === 'None'
          ? {}
          : {
              object:
                include === 'Object'
                  ? item
                  : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: item.metadata },
            }),
      })),
    };
  };
}
