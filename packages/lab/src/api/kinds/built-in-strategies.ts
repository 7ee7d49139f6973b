import type { KindStrategy } from '../operations/strategy.ts';
import { namespaceStrategy } from './namespace.ts';

/** By `plural.group`. */
export const builtInStrategies: Readonly<Record<string, KindStrategy>> = {
  'namespaces.': namespaceStrategy,
};
