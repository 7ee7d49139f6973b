import { expect } from 'chai';
import type { Condition, Route } from '@ambient/kube';

import { routeNamed } from '../translate/translate.test-data.ts';
import { readMeshParent } from '../translate/route-parent.ts';
import { parentsUpdate, reviseParents } from './route-parents.ts';
import type { WantedParent } from './route-parents.ts';

const NOW = '2026-05-01T00:00:00Z';
const EARLIER = '2026-04-01T00:00:00Z';
const ours = 'istio.io/gateway-controller';

const refTo = (name: string) => ({ group: '', kind: 'Service', name });

function want(name: string, status: Condition['status'] = 'True'): WantedParent {
  const parent = readMeshParent(refTo(name), 'ns')!;
  return { parent, conditions: [{ type: 'Accepted', status, reason: 'R', message: 'm' }] };
}

function entry(
  parentRef: object,
  {
    controllerName = ours,
    since = NOW,
    ...fields
  }: Partial<Condition> & { controllerName?: string; since?: string } = {},
) {
  const condition = {
    type: 'Accepted',
    status: 'True',
    reason: 'R',
    message: 'm',
    lastTransitionTime: since,
    observedGeneration: 1,
    ...fields,
  };
  return { parentRef, controllerName, conditions: [condition] };
}

function route(parents?: unknown, metadata: object = {}): Route {
  const object = routeNamed('HTTPRoute', 'r', {}, metadata);
  return parents === undefined ? object : { ...object, status: { parents } as NonNullable<Route['status']> };
}

const foreign = entry(refTo('web'), { controllerName: 'example.com/other' });
const atGateway = entry({ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'web' });

const written = (...parameters: Parameters<typeof parentsUpdate>): readonly unknown[] | undefined =>
  parentsUpdate(...parameters)?.body.status.parents;

describe('our part of status.parents', () => {
  it('is written onto the version that was read', () => {
    expect(parentsUpdate(route(), [want('web')], NOW)?.body).to.deep.equal({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'r', namespace: 'ns', resourceVersion: '7' },
      status: { parents: [entry(refTo('web'))] },
    });
  });

  it('is not written again when it stands, however the reference is put', () => {
    for (const ref of [
      refTo('web'),
      { ...refTo('web'), namespace: 'ns' },
      { ...refTo('web'), group: 'core' },
    ])
      expect(parentsUpdate(route([entry(ref, { since: EARLIER })]), [want('web')], NOW)).to.equal(undefined);
  });

  it('keeps the entries of others, and ours for Gateways, where and as they stand', () => {
    const found = written(
      route([foreign, entry(refTo('web'), { status: 'False' }), atGateway]),
      [want('new'), want('web')],
      NOW,
    );
    expect(found).to.deep.equal([foreign, entry(refTo('web')), atGateway, entry(refTo('new'))]);
    expect(found?.[0]).to.equal(foreign);
  });

  it('keeps its time when only the reason or the generation changes', () => {
    const standing = [
      entry(refTo('web'), { since: EARLIER, reason: 'Other' }),
      entry(refTo('old'), { since: EARLIER }),
    ];
    expect(
      written(route(standing, { generation: 2 }), [want('web'), want('old', 'False')], NOW),
    ).to.deep.equal([
      entry(refTo('web'), { since: EARLIER, observedGeneration: 2 }),
      entry(refTo('old'), { status: 'False', observedGeneration: 2 }),
    ]);
  });

  it('goes for a parent that the route names no more, and is said once', () => {
    const twice = [entry(refTo('web')), foreign, entry(refTo('gone')), entry(refTo('web'))];
    expect(written(route(twice), [want('web')], NOW)).to.deep.equal([entry(refTo('web')), foreign]);
    expect(written(route([entry(refTo('gone'))]), [], NOW)).to.deep.equal([]);
  });

  it('loses conditions that nobody says any more', () => {
    const standing = entry(refTo('web'));
    const further = { ...standing, conditions: [...standing.conditions, { type: 'Old', status: 'True' }] };
    expect(written(route([further]), [want('web')], NOW)).to.deep.equal([standing]);
  });

  it('is not written where there is nothing to say', () => {
    for (const status of [undefined, [], [foreign, atGateway], 'x', [null, 7, { controllerName: ours }]])
      expect(parentsUpdate(route(status), [], NOW)).to.equal(undefined);
  });

  it('takes no more room than the list has', () => {
    const others = Array.from({ length: 31 }, (_, i) =>
      entry(refTo(`s${i}`), { controllerName: 'example.com/other' }),
    );
    const found = written(route(others), [want('a'), want('b')], NOW);
    expect(found).to.deep.equal([...others, entry(refTo('a'))]);
    expect(parentsUpdate(route(found), [want('a'), want('b')], NOW)).to.equal(undefined);
  });

  describe('made anew, when somebody else was faster', () => {
    const update = parentsUpdate(route(), [want('web')], NOW)!;
    const read = (parents: unknown, metadata: object = {}): unknown =>
      route(parents, { resourceVersion: '8', ...metadata });

    it('is put beside what they wrote, onto the version read', () => {
      const body = reviseParents(update, read([foreign]));
      expect(body?.metadata.resourceVersion).to.equal('8');
      expect(body?.status.parents).to.deep.equal([foreign, entry(refTo('web'))]);
    });

    const nothing: [string, unknown][] = [
      ['it stands already', read([entry(refTo('web'))])],
      ['the route says something else now', read([], { generation: 2 })],
      ['it is another route of that name', read([], { uid: 'other' })],
      ['no object was read', 'x'],
    ];
    for (const [why, current] of nothing)
      it(`is not written when ${why}`, () => expect(reviseParents(update, current)).to.equal(undefined));
  });
});
