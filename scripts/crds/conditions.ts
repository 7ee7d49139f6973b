import { list, object, oneWord, string } from './schema.ts';
import type { Schema } from './schema.ts';

const conditionFields = {
  type: string('What is stated.', {
    maxLength: 316,
    pattern:
      '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
  }),
  status: oneWord('Whether it holds.', ['True', 'False', 'Unknown']),
  observedGeneration: {
    type: 'integer',
    format: 'int64',
    minimum: 0,
    description: 'The metadata.generation that was looked at.',
  },
  lastTransitionTime: string('When the status last changed.', { format: 'date-time' }),
  reason: string('A word for programs.', {
    minLength: 1,
    maxLength: 1024,
    pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
  }),
  message: string('A sentence for people.', { maxLength: 32_768 }),
} as const satisfies Record<string, Schema>;

/** metav1.Condition, merged by type so that several controllers may each own theirs. At most `maxItems` of them. */
export function conditions(maxItems: number, initial: readonly string[] = []): Schema {
  return list(
    'What controllers say about this object, one entry a type.',
    object('One statement about the object.', conditionFields, {
      required: ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
    }),
    { keys: ['type'], maxItems, ...(initial.length === 0 ? {} : { default: pending(initial) }) },
  );
}

/** Conditions of an object that no controller has looked at yet, so that an ignored object shows it. */
export function pending(types: readonly string[]): readonly object[] {
  return types.map((type) => ({
    type,
    status: 'Unknown',
    reason: 'Pending',
    message: 'Waiting for controller',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  }));
}
