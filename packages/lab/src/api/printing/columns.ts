import type { Target } from '../operations/request.ts';
import { targetKey } from '../operations/request.ts';
import type { PrinterColumnSpec } from '../resources/resource.ts';
import { builtInColumns } from './built-in-columns.ts';
import { age, ageColumn, nameColumn } from './column.ts';
import type { Cell, Column } from './column.ts';
import { furtherColumns } from './further-columns.ts';
import { compileJsonPath } from './json-path.ts';

const plain: readonly Column[] = [nameColumn, ageColumn];
const made = new WeakMap<readonly PrinterColumnSpec[], readonly Column[]>();

/** The columns of a resource's tables: its own, those that its CRD names, or name and age. */
export function columnsOf(target: Target): readonly Column[] {
  const { columns } = target.version;
  if (columns.length === 0) {
    const key = targetKey(target);
    return builtInColumns[key] ?? furtherColumns[key] ?? plain;
  }
  let all = made.get(columns);
  if (all === undefined) {
    all = [nameColumn, ...columns.map(columnOf)];
    made.set(columns, all);
  }
  return all;
}

function columnOf(spec: PrinterColumnSpec): Column {
  const values = compileJsonPath(spec.jsonPath);
  return {
    name: spec.name,
    type: spec.type,
    ...(spec.format === undefined ? {} : { format: spec.format }),
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...(spec.priority === undefined ? {} : { priority: spec.priority }),
    cell: (object, nowMs) => cellOf(spec.type, values(object), nowMs),
  };
}

/** As the API server fills cells: a value that is not there, or not of the column's type, leaves it empty. */
function cellOf(type: string, values: readonly unknown[], nowMs: number): Cell {
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return age(value, nowMs);
    default:
      return values.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(',');
  }
}
