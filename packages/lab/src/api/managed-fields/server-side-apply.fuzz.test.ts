import { expect } from 'chai';
import fc from 'fast-check';

import type { JsonObject } from '../object.ts';
import { StructuralSchema } from '../schema/structural-schema.ts';
import { compare } from './compare.ts';
import { FieldSet } from './field-set.ts';
import { applyServerSide, trackUpdate } from './server-side-apply.ts';
import { toFieldSet } from './to-field-set.ts';

const schema = StructuralSchema.parse({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        hosts: { type: 'array', items: { type: 'string' } },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        rules: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, weight: { type: 'integer' }, to: { type: 'string' } },
          },
        },
      },
    },
  },
});

const names = ['a', 'b', 'c', 'd'];
const spec = fc.record(
  {
    size: fc.integer({ min: 0, max: 2 }),
    hosts: fc.array(fc.constantFrom(...names), { maxLength: 2 }),
    tags: fc.uniqueArray(fc.constantFrom(...names)),
    labels: fc.dictionary(fc.constantFrom(...names), fc.constantFrom('x', 'y')),
    rules: fc.uniqueArray(
      fc.record(
        {
          name: fc.constantFrom(...names),
          weight: fc.integer({ min: 0, max: 1 }),
          to: fc.constantFrom('p', 'q'),
        },
        { requiredKeys: ['name'] },
      ),
      { selector: ({ name }) => name },
    ),
  },
  { requiredKeys: [] },
);

/** The part of a spec that only one manager writes: list items, labels and tags by name, other fields by manager. */
function partOf(manager: number, whole: JsonObject): JsonObject {
  const mine = (name: unknown): boolean => names.indexOf(String(name)) % 2 === manager;
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(whole)) {
    if (key === 'size' && manager === 0) out[key] = value;
    if (key === 'hosts' && manager === 1) out[key] = value;
    if (key === 'tags') out[key] = (value as string[]).filter(mine);
    if (key === 'rules') out[key] = (value as { name: string }[]).filter(({ name }) => mine(name));
    if (key === 'labels')
      out[key] = Object.fromEntries(Object.entries(value as object).filter(([name]) => mine(name)));
  }
  return out;
}

function object(of: JsonObject): JsonObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, spec: of };
}

function apply(live: JsonObject | undefined, wanted: JsonObject, manager: string, force = false): JsonObject {
  const result = applyServerSide({ live, applied: wanted, manager, apiVersion: 'v1', schema, force, now: 0 });
  if ('conflicts' in result) return expect.fail(result.conflicts.message);
  return result.object;
}

/** Equal but for the order of sets and maps, and for what is empty. */
function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item));
    return key === 'hosts' ? items : items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([name, child]) => [name, comparable(child, name)] as const)
    .filter(
      ([name, child]) => name === 'hosts' || typeof child !== 'object' || Object.keys(child!).length > 0,
    );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('server-side apply, whatever is applied', () => {
  it('the same applied twice changes nothing', () => {
    fc.assert(
      fc.property(spec, spec, (before, wanted) => {
        const live = apply(apply(undefined, object(before), 'other'), object(wanted), 'me', true);
        expect(apply(live, object(wanted), 'me')).to.deep.equal(live);
      }),
    );
  });

  it('all that is applied is there afterwards', () => {
    fc.assert(
      fc.property(spec, spec, (before, wanted) => {
        const live = apply(apply(undefined, object(before), 'other'), object(wanted), 'me', true);
        const { modified, removed } = compare(object(wanted), live, schema.root);
        expect([modified.toFieldsV1(), removed.toFieldsV1()]).to.deep.equal([{}, {}]);
      }),
    );
  });

  it('managers with disjoint fields never conflict, and each withdraws its own fields only', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(0, 1), spec), { minLength: 1, maxLength: 6 }),
        (writes) => {
          const last: JsonObject[] = [{}, {}];
          let live: JsonObject | undefined;
          for (const [manager, whole] of writes) {
            last[manager] = partOf(manager, whole);
            live = apply(live, object(last[manager]), `manager-${manager}`);
            const both = [0, 1].reduce<JsonObject>(
              (sum, each) => apply(sum, object(last[each]!), `fresh-${each}`),
              object({}),
            );
            expect(comparable(live['spec'] ?? {})).to.deep.equal(comparable(both['spec'] ?? {}));
          }
        },
      ),
    );
  });

  it('a lone manager that applies something else leaves nothing of what it applied before', () => {
    fc.assert(
      fc.property(spec, spec, (before, after) => {
        const live = apply(apply(undefined, object(before), 'me'), object(after), 'me');
        expect(comparable(live['spec'] ?? {})).to.deep.equal(comparable(after));
      }),
    );
  });

  it('a field that an update touched is a conflict for the applier who owned it, unless they agree', () => {
    fc.assert(
      fc.property(spec, spec, (wanted, edited) => {
        const live = apply(undefined, object(wanted), 'me');
        const managedFields = trackUpdate({
          old: live,
          new: { ...live, spec: edited },
          manager: 'editor',
          apiVersion: 'v1',
          schema,
          now: 0,
        });
        const next: JsonObject = { ...live, metadata: { name: 'a', managedFields }, spec: edited };
        const { modified } = compare(next, object(wanted), schema.root);
        const owned = FieldSet.fromFieldsV1(
          managedFields.find((entry) => entry['manager'] === 'editor')?.['fieldsV1'] ?? {},
        )!;
        const result = applyServerSide({
          live: next,
          applied: object(wanted),
          manager: 'me',
          apiVersion: 'v1',
          schema,
          force: false,
          now: 0,
        });
        const contested = !owned.intersection(modified).isEmpty;
        expect('conflicts' in result).to.equal(contested);
      }),
    );
  });
});

describe('field sets', () => {
  const fields = spec.map((of) => toFieldSet(object(of), schema.root));

  it('read back from fieldsV1 as they were written', () => {
    fc.assert(
      fc.property(fields, (set) => {
        const text = JSON.stringify(set.toFieldsV1());
        expect(FieldSet.fromFieldsV1(JSON.parse(text))?.toFieldsV1()).to.deep.equal(set.toFieldsV1());
      }),
    );
  });

  it('obey the laws of sets', () => {
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const show = (set: FieldSet): string => JSON.stringify(set.toFieldsV1());
        expect(show(a.union(b))).to.equal(show(b.union(a)));
        expect(show(a.difference(b).union(a.intersection(b)))).to.equal(show(a));
        expect(a.difference(b).intersection(b).isEmpty).to.equal(true);
      }),
    );
  });

  it('any JSON where fieldsV1 should be is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        FieldSet.fromFieldsV1(value);
      }),
    );
    let deep: unknown = {};
    for (let i = 0; i < 100_000; i++) deep = { 'f:x': deep };
    expect(FieldSet.fromFieldsV1(deep)).to.equal(undefined);
  });
});
