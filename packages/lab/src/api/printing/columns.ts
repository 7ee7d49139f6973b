import type { Target } from '../operations/request.ts';
import { ageColumn, nameColumn } from './column.ts';
import type { Column } from './column.ts';

const plain: readonly Column[] = [nameColumn, ageColumn];

/** The columns of a resource's tables. */
export function columnsOf(_target: Target): readonly Column[] {
  return plain;
}
