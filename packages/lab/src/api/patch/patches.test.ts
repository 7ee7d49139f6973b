import { expect } from 'chai';

import { ApiError } from '../errors.ts';
import type { JsonObject } from '../object.ts';
import { builtInSchema } from '../schema/builtin.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicMergePatch } from './strategic-merge.ts';

const pod = builtInSchema('', 'v1', 'Pod')!.root;
const service = builtInSchema('', 'v1', 'Service')!.root;

describe('mergePatch', () => {
  it('follows the examples of RFC 7386', () => {
    expect(mergePatch({ a: 'b', c: { d: 1, e: 2 } }, { a: 'z', c: { e: null } })).to.deep.equal({
      a: 'z',
      c: { d: 1 },
    });
    expect(mergePatch({ a: [1] }, { a: [2, 3] })).to.deep.equal({ a: [2, 3] });
    expect(mergePatch({ a: 'b' }, { a: { x: null, y: 1 } })).to.deep.equal({ a: { y: 1 } });
    expect(mergePatch({ a: 1 }, ['x'])).to.deep.equal(['x']);
  });

  it('leaves the target as it was', () => {
    const target = { a: { b: 1 } };
    mergePatch(target, { a: { b: 2 } });
    expect(target).to.deep.equal({ a: { b: 1 } });
  });
});

describe('jsonPatch', () => {
  it('applies operations in order', () => {
    const patch = [
      { op: 'test', path: '/a', value: 1 },
      { op: 'replace', path: '/a', value: 2 },
      { op: 'add', path: '/b', value: [] },
      { op: 'add', path: '/b/-', value: 'x' },
      { op: 'move', from: '/a', path: '/c' },
    ];
    expect(jsonPatch({ a: 1 }, patch)).to.deep.equal({ b: ['x'], c: 2 });
  });

  it('refuses what does not fit: a failed test, a path that is not there, rubbish', () => {
    expect(() => jsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: 2 }])).to.throw(ApiError);
    expect(() => jsonPatch({}, [{ op: 'remove', path: '/a' }])).to.throw(ApiError);
    expect(() => jsonPatch({}, [{ op: 'fly' }])).to.throw(ApiError);
    expect(() => jsonPatch({}, {})).to.throw(ApiError, 'not a list');
  });
});

describe('strategicMergePatch', () => {
  const containers = (...list: JsonObject[]): JsonObject => ({ spec: { containers: list } });
  const two = containers({ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' });

  it('joins list items by their merge key', () => {
    const patched = strategicMergePatch(two, containers({ name: 'b', image: 'b:2' }, { name: 'c' }), pod);
    expect(patched).to.deep.equal(
      containers({ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:2' }, { name: 'c' }),
    );
  });

  it('puts an item that is new before those that were there, if the patch names no other', () => {
    expect(strategicMergePatch(two, containers({ name: 'c' }), pod)).to.deep.equal(
      containers({ name: 'c' }, { name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' }),
    );
  });

  it('joins the ports of a Service by port', () => {
    const live = { spec: { ports: [{ port: 80, name: 'x' }, { port: 81 }] } };
    expect(strategicMergePatch(live, { spec: { ports: [{ port: 80, name: 'y' }] } }, service)).to.deep.equal({
      spec: { ports: [{ port: 80, name: 'y' }, { port: 81 }] },
    });
  });

  it('deletes one item, and replaces a whole list, where the patch says so', () => {
    expect(strategicMergePatch(two, containers({ name: 'a', $patch: 'delete' }), pod)).to.deep.equal(
      containers({ name: 'b', image: 'b:1' }),
    );
    expect(strategicMergePatch(two, containers({ $patch: 'replace' }, { name: 'z' }), pod)).to.deep.equal(
      containers({ name: 'z' }),
    );
  });

  it('replaces, deletes and trims maps', () => {
    const live = {
      spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }], nodeSelector: { a: '1', b: '2' } },
    };
    const patch = {
      spec: {
        volumes: [{ name: 'v', emptyDir: {}, $retainKeys: ['name', 'emptyDir'] }],
        nodeSelector: { $patch: 'replace', c: '3' },
      },
    };
    expect(strategicMergePatch(live, patch, pod)).to.deep.equal({
      spec: { volumes: [{ name: 'v', emptyDir: {} }], nodeSelector: { c: '3' } },
    });
    expect(strategicMergePatch(live, { spec: { nodeSelector: null } }, pod)).to.deep.equal({
      spec: { volumes: live.spec.volumes },
    });
  });

  it('merges lists of scalars, and takes values out of them', () => {
    const live = { metadata: { finalizers: ['a', 'b'] } };
    const patch = {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['b', 'c'] },
    };
    expect(strategicMergePatch(live, patch, pod)).to.deep.equal({ metadata: { finalizers: ['b', 'c'] } });
  });

  it('orders items as the patch wants them, and keeps the place of those that it does not name', () => {
    const live = containers({ name: 'a' }, { name: 'server-only' }, { name: 'b' });
    const patch = {
      spec: {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
        containers: [{ name: 'b', image: 'x' }],
      },
    };
    const patched = strategicMergePatch(live, patch, pod) as { spec: { containers: { name: string }[] } };
    expect(patched.spec.containers.map(({ name }) => name)).to.deep.equal(['server-only', 'b', 'a']);
  });

  it('leaves the target as it was', () => {
    const before = structuredClone(two);
    strategicMergePatch(two, containers({ name: 'a', image: 'other' }), pod);
    expect(two).to.deep.equal(before);
  });

  it('refuses items without their merge key and unknown directives', () => {
    expect(() => strategicMergePatch(two, containers({ image: 'x' }), pod)).to.throw(
      ApiError,
      'merge key name',
    );
    expect(() => strategicMergePatch(two, { spec: { $patch: 'explode' } }, pod)).to.throw(
      ApiError,
      'explode',
    );
    expect(() => strategicMergePatch(two, { spec: { '$setElementOrder/containers': 1 } }, pod)).to.throw(
      ApiError,
    );
  });
});
