import { expect } from 'chai';

import type { JsonObject } from '../object.ts';
import { builtInSchema } from '../schema/builtin.ts';
import { StructuralSchema } from '../schema/structural-schema.ts';
import { resetFields } from './never-owned.ts';
import { ApplyRequestError, applyServerSide, trackUpdate } from './server-side-apply.ts';
import type { ApplyResult } from './server-side-apply.ts';

const start = Date.UTC(2026, 0, 1);
const service = builtInSchema('', 'v1', 'Service')!;
const pod = builtInSchema('', 'v1', 'Pod')!;
const custom = StructuralSchema.parse({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        hosts: { type: 'array', items: { type: 'string' } },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        selector: {
          type: 'object',
          additionalProperties: { type: 'string' },
          'x-kubernetes-map-type': 'atomic',
        },
        rules: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { name: { type: 'string' }, weight: { type: 'integer' } } },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', properties: { ready: { type: 'boolean' } } },
  },
});

interface Step {
  readonly manager?: string;
  readonly force?: boolean;
  readonly schema?: StructuralSchema;
  readonly subresource?: string;
  readonly now?: number;
}

function apply(live: JsonObject | undefined, applied: JsonObject, step: Step = {}): ApplyResult {
  const subresource = step.subresource ?? '';
  return applyServerSide({
    live,
    applied,
    manager: step.manager ?? 'one',
    apiVersion: 'v1',
    schema: step.schema ?? custom,
    subresource,
    reset: resetFields(subresource, true),
    force: step.force ?? false,
    now: step.now ?? start,
  });
}

/** The object of an apply that must succeed. */
function applied(live: JsonObject | undefined, wanted: JsonObject, step: Step = {}): JsonObject {
  const result = apply(live, wanted, step);
  if ('conflicts' in result) return expect.fail(result.conflicts.message);
  return result.object;
}

function updated(old: JsonObject | undefined, next: JsonObject, step: Step = {}): JsonObject {
  const managedFields = trackUpdate({
    old,
    new: next,
    manager: step.manager ?? 'editor',
    apiVersion: 'v1',
    schema: step.schema ?? custom,
    subresource: step.subresource ?? '',
    reset: resetFields(step.subresource ?? '', true),
    now: step.now ?? start,
  });
  return { ...next, metadata: { ...(next['metadata'] as JsonObject), managedFields } };
}

function object(spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', namespace: 'b', ...metadata }, spec };
}

function managed(of: JsonObject): JsonObject[] {
  return (of['metadata'] as JsonObject)['managedFields'] as JsonObject[];
}

describe('server-side apply', () => {
  it('records what a manager applied, and nothing that says what the object is', () => {
    const made = applied(
      undefined,
      object({ size: 1, rules: [{ name: 'x', weight: 2 }] }, { labels: { app: 'q' } }),
    );
    expect(managed(made)).to.deep.equal([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:rules': { 'k:{"name":"x"}': { '.': {}, 'f:name': {}, 'f:weight': {} } },
            'f:size': {},
          },
        },
      },
    ]);
  });

  it('names the owner and the path of a conflict, as kubectl prints it', () => {
    const live = applied(undefined, object({ size: 1 }));
    const result = apply(live, object({ size: 2 }), { manager: 'two' });
    expect(result).to.deep.equal({
      conflicts: {
        message: 'Apply failed with 1 conflict: conflict with "one": .spec.size',
        causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.size' }],
      },
    });
  });

  it('lists several conflicts by owner, updates with their version and time', () => {
    const first = applied(undefined, object({ size: 1, rules: [{ name: 'x', weight: 1 }] }));
    const live = updated(first, { ...first, spec: { ...(first['spec'] as JsonObject), hosts: ['a'] } });
    const result = apply(live, object({ size: 2, hosts: ['b'], rules: [{ name: 'x', weight: 2 }] }), {
      manager: 'two',
    });
    expect('conflicts' in result && result.conflicts.message).to.equal(
      [
        'Apply failed with 3 conflicts: conflicts with "editor" using v1 at 2026-01-01T00:00:00Z:',
        '- .spec.hosts',
        'conflicts with "one":',
        '- .spec.size',
        '- .spec.rules[name="x"].weight',
      ].join('\n'),
    );
  });

  it('is no conflict when two managers want the same: both own it, and one may leave', () => {
    const both = applied(applied(undefined, object({ size: 1 })), object({ size: 1 }), { manager: 'two' });
    expect(managed(both)).to.have.length(2);
    const left = applied(both, object({}), { manager: 'one' });
    expect(left['spec']).to.deep.equal({ size: 1 });
    expect(applied(left, object({}), { manager: 'two' })['spec']).to.deep.equal({});
  });

  it('takes the field with force, and the former owner loses it', () => {
    const live = applied(undefined, object({ size: 1, hosts: ['a'] }));
    const forced = applied(live, object({ size: 2 }), { manager: 'two', force: true });
    expect(forced['spec']).to.deep.equal({ size: 2, hosts: ['a'] });
    expect(managed(forced).map((each) => [each['manager'], each['fieldsV1']])).to.deep.equal([
      ['one', { 'f:spec': { 'f:hosts': {} } }],
      ['two', { 'f:spec': { 'f:size': {} } }],
    ]);
  });

  it('removes what a manager no longer applies, and leaves what others own or nobody applied', () => {
    let live = applied(undefined, object({ size: 1, rules: [{ name: 'x', weight: 1 }, { name: 'y' }] }));
    live = applied(live, object({ rules: [{ name: 'z', weight: 3 }] }), { manager: 'two' });
    (live['metadata'] as JsonObject)['uid'] = 'u-1';
    live = applied(live, object({ rules: [{ name: 'y' }] }));
    expect(live['spec']).to.deep.equal({ rules: [{ name: 'y' }, { name: 'z', weight: 3 }] });
    expect((live['metadata'] as JsonObject)['uid']).to.equal('u-1');
  });

  it('removes labels of its own and keeps those of others', () => {
    let live = applied(undefined, object({}, { labels: { a: '1', b: '2' } }));
    live = applied(live, object({}, { labels: { c: '3' } }), { manager: 'two' });
    live = applied(live, object({}, { labels: { b: '2' } }));
    expect((live['metadata'] as JsonObject)['labels']).to.deep.equal({ b: '2', c: '3' });
  });

  it('merges sets by value and keeps the order of the applied list', () => {
    let live = applied(undefined, object({ tags: ['a', 'b'] }));
    live = applied(live, object({ tags: ['c', 'a'] }), { manager: 'two' });
    expect(live['spec']).to.deep.equal({ tags: ['c', 'a', 'b'] });
    live = applied(live, object({ tags: ['b'] }));
    expect((live['spec'] as JsonObject)['tags']).to.have.members(['b', 'c', 'a']);
    expect(applied(live, object({}), { manager: 'two' })['spec']).to.deep.equal({ tags: ['b'] });
  });

  it('replaces atomic lists and maps as a whole', () => {
    const live = applied(undefined, object({ hosts: ['a'], selector: { app: 'x' } }));
    const result = apply(live, object({ selector: { tier: 'y' } }), { manager: 'two' });
    expect('conflicts' in result && result.conflicts.causes[0]?.field).to.equal('.spec.selector');
    const mine = applied(live, object({ hosts: ['b'], selector: { tier: 'y' } }));
    expect(mine['spec']).to.deep.equal({ hosts: ['b'], selector: { tier: 'y' } });
  });

  it('owns by field where the schema leaves a map open', () => {
    const live = applied(undefined, object({ free: { a: { x: 1 }, list: [1] } }));
    const both = applied(live, object({ free: { a: { y: 2 } } }), { manager: 'two' });
    expect(both['spec']).to.deep.equal({ free: { a: { x: 1, y: 2 }, list: [1] } });
  });

  it('keys ports of Services by port and protocol, with the default where it is left out', () => {
    const port = (number: number, more: JsonObject = {}): JsonObject => ({ port: number, ...more });
    let live = applied(undefined, object({ ports: [port(53), port(53, { protocol: 'UDP' })] }), {
      schema: service,
    });
    live = applied(live, object({ ports: [port(53, { protocol: 'TCP', name: 'dns' })] }), {
      schema: service,
      manager: 'two',
    });
    expect(live['spec']).to.deep.equal({
      ports: [
        { port: 53, protocol: 'TCP', name: 'dns' },
        { port: 53, protocol: 'UDP' },
      ],
    });
  });

  it('keeps status conditions of different writers apart', () => {
    const condition = (type: string): JsonObject => ({
      ...object({}),
      status: { conditions: [{ type, status: 'True' }] },
    });
    const schema = StructuralSchema.parse({
      type: 'object',
      properties: {
        status: {
          type: 'object',
          properties: {
            conditions: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['type'],
              items: { type: 'object', properties: { type: { type: 'string' }, status: { type: 'string' } } },
            },
          },
        },
      },
    });
    const step = { schema, subresource: 'status' };
    let live = applied(object({}), condition('A'), step);
    live = applied(live, condition('B'), { ...step, manager: 'two' });
    expect(live['status']).to.deep.equal({
      conditions: [
        { type: 'A', status: 'True' },
        { type: 'B', status: 'True' },
      ],
    });
    live = applied(live, object({}), step);
    expect(live['status']).to.deep.equal({ conditions: [{ type: 'B', status: 'True' }] });
  });

  it('does not own through one endpoint what belongs to the other', () => {
    const live = applied(undefined, { ...object({ size: 1 }), status: { ready: true } });
    expect(managed(live)[0]?.['fieldsV1']).to.deep.equal({ 'f:spec': { 'f:size': {} } });
    const withStatus = applied(
      live,
      { ...object({ size: 9 }), status: { ready: true } },
      { subresource: 'status' },
    );
    const entry = managed(withStatus).find((each) => each['subresource'] === 'status');
    expect(entry?.['fieldsV1']).to.deep.equal({ 'f:status': { 'f:ready': {} } });
  });

  it('changes nothing, not even times, when the same is applied again', () => {
    const live = applied(undefined, object({ size: 1, rules: [{ name: 'x' }] }));
    expect(applied(live, object({ size: 1, rules: [{ name: 'x' }] }), { now: start + 60_000 })).to.deep.equal(
      live,
    );
  });

  it('meets fields that were never tracked as before-first-apply', () => {
    const result = apply(object({ size: 1 }), object({ size: 2 }));
    expect('conflicts' in result && result.conflicts.message).to.equal(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using v1 at 2026-01-01T00:00:00Z: .spec.size',
    );
  });

  it('lets kubectl go on with what it applied on the client, and keeps its annotation up to date', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const old = object({ size: 1 }, { annotations: { [annotation]: JSON.stringify(object({ size: 1 })) } });
    const live = updated(undefined, old, { manager: 'kubectl-client-side-apply' });
    const next = applied(live, object({ size: 2 }), { manager: 'kubectl' });
    expect(next['spec']).to.deep.equal({ size: 2 });
    const annotations = (next['metadata'] as JsonObject)['annotations'] as Record<string, string>;
    expect(JSON.parse(annotations[annotation]!)).to.deep.equal(object({ size: 2 }));
    const other = apply(live, object({ size: 2 }), { manager: 'flux' });
    expect(other).to.have.property('conflicts');
  });

  describe('refuses', () => {
    const hostile: readonly [string, JsonObject, string][] = [
      [
        'managedFields in the request',
        object({}, { managedFields: [] }),
        'metadata.managedFields must be nil',
      ],
      [
        'items with the same key',
        object({ rules: [{ name: 'x' }, { name: 'x' }] }),
        'duplicate entries for key {"name":"x"}',
      ],
      ['items without their key', object({ rules: [{ weight: 1 }] }), 'omits all key fields ["name"]'],
      ['null as an item', object({ rules: [null] }), 'may not have a null element'],
      ['a map in a set of texts', object({ tags: [{}] }), "has an element that's no scalar"],
    ];
    for (const [what, wanted, message] of hostile) {
      it(what, () => expect(() => apply(undefined, wanted)).to.throw(ApplyRequestError, message));
      it(`${what}, over a live object`, () =>
        expect(() =>
          apply(applied(undefined, object({ rules: [{ name: 'q' }], tags: ['q'] })), wanted),
        ).to.throw(ApplyRequestError, message));
    }
  });
});

describe('tracking of updates', () => {
  it('gives the writer what it added or changed, containers included', () => {
    const made = updated(undefined, object({ size: 1, rules: [{ name: 'x', weight: 1 }] }));
    expect(managed(made)).to.deep.equal([
      {
        manager: 'editor',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            '.': {},
            'f:rules': { '.': {}, 'k:{"name":"x"}': { '.': {}, 'f:name': {}, 'f:weight': {} } },
            'f:size': {},
          },
        },
      },
    ]);
    const next = updated(made, object({ size: 2, rules: [{ name: 'x', weight: 1 }] }), { manager: 'other' });
    expect(managed(next).find((each) => each['manager'] === 'other')?.['fieldsV1']).to.deep.equal({
      'f:spec': { 'f:size': {} },
    });
    expect(JSON.stringify(managed(next).find((each) => each['manager'] === 'editor'))).not.to.contain(
      'f:size',
    );
  });

  it('keeps writers of subresources apart', () => {
    const made = updated(undefined, object({ size: 1 }));
    const next = updated(
      made,
      { ...made, status: { ready: true } },
      { subresource: 'status', manager: 'kubelet' },
    );
    expect(managed(next).map((each) => [each['manager'], each['subresource']])).to.deep.equal([
      ['editor', undefined],
      ['kubelet', 'status'],
    ]);
  });

  it('changes nothing when nothing changed', () => {
    const made = updated(undefined, object({ size: 1 }));
    expect(managed(updated(made, made, { manager: 'other', now: start + 5000 }))).to.deep.equal(
      managed(made),
    );
  });

  it('takes what is gone from everybody', () => {
    const made = applied(undefined, object({ size: 1, hosts: ['a'] }));
    const next = updated(made, { ...made, spec: { hosts: ['a'] } });
    expect(managed(next).map((each) => each['fieldsV1'])).to.deep.equal([{ 'f:spec': { 'f:hosts': {} } }]);
  });

  it('forgets all owners on request, and ignores entries that are malformed', () => {
    const made = updated(undefined, object({ size: 1 }));
    expect(managed(updated(made, object({ size: 1 }, { managedFields: [{}] })))).to.deep.equal([]);
    const broken = object({ size: 1 }, { managedFields: [{ manager: 'x', operation: 'Eat' }] });
    expect(managed(updated(made, broken))).to.deep.equal(managed(made));
  });

  it('throws the oldest of many writers together', () => {
    let live = updated(undefined, object({ size: 0 }));
    for (let i = 1; i < 30; i++)
      live = updated(
        live,
        object({ size: 0, free: { ...freeOf(live), [`k${i}`]: i } }, { managedFields: managed(live) }),
        {
          manager: `w${i}`,
          now: start + i * 1000,
        },
      );
    expect(managed(live)).to.have.length(10);
    expect(managed(live)[0]).to.have.property('manager', 'ancient-changes');
  });

  it('holds containers of pods by name, and lists that repeat themselves as one', () => {
    const spec = {
      containers: [
        {
          name: 'c',
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        },
      ],
    };
    const made = updated(undefined, object(spec), { schema: pod });
    const text = JSON.stringify(managed(made));
    expect(text).to.contain(String.raw`"k:{\"name\":\"c\"}"`);
    expect(text).to.contain(String.raw`"k:{\"name\":\"A\"}":{}`);
  });
});

function freeOf(live: JsonObject): JsonObject {
  return ((live['spec'] as JsonObject)['free'] ?? {}) as JsonObject;
}
