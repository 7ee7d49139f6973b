import { expect } from 'chai';
import fc from 'fast-check';
import { Logger, LogLevels } from '@ambient/runtime';
import { fuzzBudget } from '@ambient/testkit';

import type { KindName, KubeObject } from '@ambient/kube';
import { objectKey } from '@ambient/kube';
import { Engine } from './engine.ts';
import type { Report } from './engine.ts';
import type { Derivation } from './derivation.ts';
import { perObject } from './derivation.ts';
import {
  namespaceObject,
  podObject,
  sampleDerivations,
  serviceObject,
  touched,
} from './objects.test-data.ts';

type Condition = { readonly type: string };

class Rig {
  readonly runs: string[] = [];
  readonly reports: Report<Condition>[] = [];
  readonly errors: string[] = [];
  readonly engine: Engine<Condition>;
  work = 0;

  constructor(derivations?: Derivation<Condition>[]) {
    this.engine = new Engine<Condition>({
      derivations: derivations ?? sampleDerivations((what) => this.runs.push(what)),
      log: new Logger(
        new LogLevels('error'),
        {
          write: (_level, _scope, message, fields) =>
            this.errors.push(`${message} ${fields?.['object'] as string}`),
        },
        'engine',
      ),
      onReport: (report) => this.reports.push(report),
      onWork: () => this.work++,
    });
  }

  put(...objects: KubeObject[]): this {
    for (const object of objects) this.engine.target(object.kind as KindName).put(objectKey(object), object);
    return this;
  }

  remove(object: KubeObject): this {
    this.engine.target(object.kind as KindName).remove(objectKey(object));
    return this;
  }

  /** Works, and tells what was run and what is to be sent: `+name=bytes` and `-name`. */
  settle(): { runs: string[]; sent: string[] } {
    this.runs.length = 0;
    this.engine.work();
    const sent: string[] = [];
    for (const [table, { upserts, removals }] of this.engine.takeBatch() ?? []) {
      for (const { name, bytes } of upserts) sent.push(`+${table} ${name}=${Buffer.from(bytes).toString()}`);
      for (const name of removals) sent.push(`-${table} ${name}`);
    }
    return { runs: [...this.runs].sort(), sent: sent.sort() };
  }

  served(): string[] {
    return ['workload', 'service', 'names']
      .flatMap((table) =>
        [...this.engine.resources(table)].map(
          ({ name, bytes }) => `${table} ${name}=${Buffer.from(bytes).toString()}`,
        ),
      )
      .sort();
  }
}

describe('Engine', () => {
  const web = podObject('a', 'web', '10.0.0.1');
  const db = podObject('a', 'db', '10.0.0.2');
  const other = podObject('b', 'web', '10.0.1.1');

  it('derives everything once, and says so once', () => {
    const rig = new Rig().put(
      namespaceObject('a', { mode: 'ambient' }),
      web,
      serviceObject('a', 'web-svc', 'web'),
    );
    expect(rig.settle()).deep.equal({
      runs: ['names', 'pod web', 'service web-svc'],
      sent: ['+names a=web-svc', '+service web=a/web-svc 1', '+workload a/web=10.0.0.1 ambient web-svc'],
    });
    expect(rig.settle()).deep.equal({ runs: [], sent: [] });
  });

  it('computes only what asked for the changed object, found before or not', () => {
    const rig = new Rig().put(web, db, other);
    rig.settle();
    expect(rig.put(namespaceObject('a', { mode: 'ambient' })).settle()).deep.equal({
      runs: ['pod db', 'pod web'],
      sent: ['+workload a/db=10.0.0.2 ambient ', '+workload a/web=10.0.0.1 ambient '],
    });
    expect(rig.remove(namespaceObject('a')).settle().sent).deep.equal([
      '+workload a/db=10.0.0.2 none ',
      '+workload a/web=10.0.0.1 none ',
    ]);
  });

  it('computes those of the old key and those of the new one, and sends only what differs', () => {
    const rig = new Rig().put(web, db, other, serviceObject('a', 's', 'web'));
    rig.settle();
    expect(rig.put(serviceObject('a', 's', 'db')).settle()).deep.equal({
      runs: ['names', 'pod db', 'pod web', 'service s'],
      sent: [
        '+service db=a/s 2',
        '+workload a/db=10.0.0.2 none s',
        '+workload a/web=10.0.0.1 none ',
        '-service web',
      ],
    });
  });

  it('forgets what a unit does not ask for any more', () => {
    const asked = { index: 'a' };
    const rig = new Rig([
      perObject('p', 'Pod', (pod, lookup) => {
        rig.runs.push(`pod ${pod.metadata.name}`);
        lookup.get('Namespace', '', asked.index);
        return { resources: [] };
      }),
    ]).put(web);
    rig.settle();
    asked.index = 'b';
    rig.put(namespaceObject('a')).settle();
    expect(rig.put(namespaceObject('a', { x: '1' })).settle().runs).deep.equal([]);
    expect(rig.put(namespaceObject('b', { x: '1' })).settle().runs).deep.equal(['pod web']);
    expect(rig.engine.state().questions).equal(1);
    rig.remove(web).settle();
    expect(rig.engine.state()).include({ questions: 0, units: 0 });
  });

  it('does nothing for another resourceVersion, nor for others when only a status of no interest to them changes', () => {
    const service = serviceObject('a', 's', 'web');
    const rig = new Rig().put(web, service);
    rig.settle();
    expect(rig.put(touched(web, '7'), touched(service, '8')).settle().runs).deep.equal([]);
    expect(rig.engine.store.get('Pod', 'a', 'web')?.metadata.resourceVersion).equal('7');
    expect(rig.engine.store.list('Pod', 'by-namespace', 'a')[0]?.metadata.resourceVersion).equal('7');
    const withStatus = { ...service, status: { conditions: [{ type: 'x', status: 'True' as const }] } };
    expect(rig.put(withStatus).settle().runs).deep.equal(['service s']);
  });

  it('a status that others read makes them compute again, a private one does not', () => {
    for (const [kind, runs] of [
      ['Service', []],
      ['Gateway', ['pod web']],
    ] as const) {
      const rig = new Rig([
        perObject('p', 'Pod', (pod, lookup) => {
          rig.runs.push(`pod ${pod.metadata.name}`);
          lookup.get(kind, 'a', 's');
          return { resources: [] };
        }),
      ]);
      const object = { apiVersion: 'v1', kind, metadata: { name: 's', namespace: 'a', uid: 'u' } };
      rig.put(web, object).settle();
      expect(rig.put({ ...object, status: { addresses: [] } }).settle().runs, kind).deep.equal(runs);
      expect(rig.put({ ...object, spec: {} }).settle().runs, kind).deep.equal(['pod web']);
    }
  });

  it('does not compute readers of an index for what they do not read', () => {
    const service = serviceObject('a', 's', 'web');
    const rig = new Rig().put(web, service);
    rig.settle();
    const unread = { ...service, spec: { ...service.spec, trafficDistribution: 'PreferClose' } };
    expect(rig.put(unread).settle().runs).deep.equal(['names', 'service s']);
  });

  it('two that claim one name: the oldest wins, then the first by name; the loser follows when the winner goes', () => {
    const young = serviceObject('a', 'young', 'x', '2026-01-02T00:00:00Z');
    const old = serviceObject('b', 'old', 'x', '2026-01-01T00:00:00Z');
    const rig = new Rig().put(young);
    rig.settle();
    expect(rig.put(old).settle().sent).include('+service x=b/old 0');
    expect(rig.put(serviceObject('b', 'also-old', 'x', '2026-01-01T00:00:00Z')).settle().sent).deep.equal([
      '+service x=b/also-old 0',
    ]);
    rig.remove(serviceObject('b', 'also-old', 'x'));
    expect(rig.remove(old).settle().sent).deep.equal(['+service x=a/young 0']);
    expect(rig.remove(young).settle().sent).include('-service x');
  });

  it('tells where a resource comes from: who claims it, and what each has read', () => {
    const old = serviceObject('a', 'old', 'x', '2026-01-01T00:00:00Z');
    const young = serviceObject('b', 'young', 'x', '2026-01-02T00:00:00Z');
    const rig = new Rig().put(young, old, web, db);
    rig.settle();
    const counted = (key: string, found: number) => [{ kind: 'Pod', index: 'by-namespace', key, found }];
    const origin = { derivation: 'services', kind: 'Service', problems: [] };
    expect(rig.engine.origins('service', 'x')).deep.equal([
      { ...origin, key: 'a/old', served: true, read: counted('a', 2) },
      { ...origin, key: 'b/young', served: false, read: counted('b', 0) },
    ]);
    expect(rig.engine.origins('workload', 'a/web')[0]!.read).deep.include({
      kind: 'Namespace',
      index: '',
      key: 'a',
      found: 0,
    });
    expect(rig.engine.origins('service', 'nobody')).deep.equal([]);
  });

  it('an object that is replaced by a younger one of its name loses its rank', () => {
    const rig = new Rig().put(
      serviceObject('a', 'one', 'x', '2026-01-01T00:00:00Z'),
      serviceObject('b', 'two', 'x', '2026-01-02T00:00:00Z'),
    );
    rig.settle();
    const again = serviceObject('a', 'one', 'x', '2026-01-03T00:00:00Z');
    expect(rig.put(again).settle().sent).deep.equal(['+service x=b/two 0']);
  });

  it('a translator that throws keeps what was in force, names the object, and the rest goes on', () => {
    const rig = new Rig().put(web, db);
    rig.settle();
    rig.put({ ...web, status: { podIP: 'throw' } }, { ...db, status: { podIP: '10.9.9.9' } });
    expect(rig.settle().sent).deep.equal(['+workload a/db=10.9.9.9 none ']);
    expect(rig.served()).include('workload a/web=10.0.0.1 none ');
    expect(rig.errors).deep.equal(['cannot translate, its previous resources stay in force a/web']);
    expect(rig.reports.at(-1)).deep.include({ derivation: 'pods', kind: 'Pod', key: 'a/web' });
    expect(rig.reports.at(-1)?.problems[0]?.message).equal(
      'Pod a/web cannot be translated (no such address); what was in force before stays',
    );
    expect(rig.put(web).settle().sent).deep.equal([]);
    expect(rig.reports.at(-1)?.problems).deep.equal([]);
  });

  it('after a throw the unit still hears of what it asked before', () => {
    let broken = false;
    const rig = new Rig([
      perObject('p', 'Pod', (pod, lookup) => {
        rig.runs.push(pod.metadata.name);
        if (broken) throw new Error('broken');
        lookup.get('Namespace', '', 'a');
        return { resources: [] };
      }),
    ]).put(web);
    rig.settle();
    broken = true;
    rig.put({ ...web, spec: {} }).settle();
    broken = false;
    expect(rig.put(namespaceObject('a')).settle().runs).deep.equal(['web']);
  });

  it('reports problems and conditions when they change, and when their object goes', () => {
    const service = serviceObject('a', 's', '');
    const rig = new Rig().put(service);
    rig.settle();
    rig.put(web).settle();
    expect(rig.reports.length).equal(1);
    expect([...rig.engine.reports()]).deep.equal(rig.reports);
    expect(rig.reports[0]).deep.include({ key: 'a/s', conditions: [{ type: 'Seen' }] });
    expect(rig.reports[0]?.problems[0]?.path).equal('spec.selector');
    rig.remove(service).settle();
    expect(rig.reports[1]).deep.include({ problems: [], conditions: [] });
    expect([...rig.engine.reports()]).deep.equal([]);
  });

  it('stops in the midst of its work when it is enough, and goes on', () => {
    const rig = new Rig();
    for (let i = 0; i < 100; i++) rig.put(podObject('a', `p${i}`, '10.0.0.1'));
    let looks = 0;
    expect(rig.engine.work(() => ++looks === 2)).equal(false);
    expect([looks, rig.engine.dirty]).deep.equal([2, 101 - 32]);
    expect(rig.engine.work()).equal(true);
    expect([rig.engine.dirty, rig.work]).deep.equal([0, 1]);
    expect(rig.put(web).work).equal(2);
  });

  it('computes everything again when asked to, and sends nothing if nothing differs', () => {
    const rig = new Rig().put(web, serviceObject('a', 's', 'web'));
    rig.settle();
    rig.engine.invalidateAll();
    expect(rig.settle()).deep.equal({ runs: ['names', 'pod web', 'service s'], sent: [] });
  });
});

describe('Engine, properties', () => {
  const small = fc.integer({ min: 0, max: 2 });
  const object = fc.oneof(
    fc
      .record({ ns: fc.constantFrom('a', 'b'), mode: fc.constantFrom('x', 'y') })
      .map(({ ns, mode }) => namespaceObject(ns, { mode })),
    fc
      .record({ ns: fc.constantFrom('a', 'b'), name: small, ip: small, app: small })
      .map(({ ns, name, ip, app }) => podObject(ns, `p${name}`, `10.0.0.${ip}`, `app${app}`)),
    fc
      .record({ ns: fc.constantFrom('a', 'b'), name: small, app: small, day: small })
      .map(({ ns, name, app, day }) =>
        serviceObject(ns, `s${name}`, `app${app}`, `2026-01-0${day + 1}T00:00:00Z`),
      ),
  );
  const event = fc.record({ object, remove: fc.boolean(), settle: fc.boolean() });
  const idOf = (o: KubeObject): string => `${o.kind} ${objectKey(o)}`;

  it('what is served depends on the objects alone, and batches add up to it [fuzz]', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (events, random) => {
        const rig = new Rig();
        const final = new Map<string, KubeObject>();
        const client = new Map<string, string>();
        const receive = (sent: readonly string[]): void => {
          for (const line of sent.filter((l) => l.startsWith('-'))) client.delete(line.slice(1));
          for (const line of sent.filter((l) => l.startsWith('+'))) {
            const [name = '', value = ''] = line.slice(1).split('=');
            client.set(name, value);
          }
        };
        for (const { object, remove, settle } of events) {
          if (remove) rig.remove(object);
          else rig.put(object);
          if (remove) final.delete(idOf(object));
          else final.set(idOf(object), object);
          if (settle) receive(rig.settle().sent);
        }
        receive(rig.settle().sent);
        const shuffled = [...final.values()]
          .map((o) => ({ o, order: (random.next().value as number | undefined) ?? 0 }))
          .sort((a, b) => a.order - b.order)
          .map(({ o }) => o);
        const fresh = new Rig().put(...shuffled);
        fresh.settle();
        expect(rig.served()).deep.equal(fresh.served());
        expect([...client].map(([name, value]) => `${name}=${value}`).sort()).deep.equal(fresh.served());
        expect(rig.engine.state().questions).equal(fresh.engine.state().questions);
      }),
      fuzzBudget(),
    );
  });

  it('a change that is taken back before anyone looks sends nothing [fuzz]', () => {
    fc.assert(
      fc.property(fc.array(object, { maxLength: 15 }), object, (objects, changed) => {
        const rig = new Rig().put(...objects);
        rig.settle();
        const before = rig.engine.store.table(changed.kind as KindName).get(objectKey(changed));
        rig.put(changed);
        rig.engine.work();
        if (before === undefined) rig.remove(changed);
        else rig.put(before);
        expect(rig.settle().sent).deep.equal([]);
      }),
      fuzzBudget(),
    );
  });
});
