import { kindNames, objectKey } from '@ambient/kube';
import type { Condition, KindName, KubeObject } from '@ambient/kube';
import { testLog } from '@ambient/kube/testing';
import { istio, typeUrl } from '@ambient/wire';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';

import { Engine } from '../cluster/engine.ts';
import type { Report } from '../cluster/engine.ts';
import { asStored, parseManifests } from '../translate/golden-cluster.test-data.ts';
import { goldenForm } from '../translate/golden-form.test-data.ts';
import type { MeshDefaults } from '../translate/mesh-settings.ts';
import { meshDefaults } from '../translate/mesh-settings.test-data.ts';
import { derivations } from './derivations.ts';
import type { Finding } from './finding.ts';
import { MeshInForce } from './mesh-in-force.ts';
import { ScopedObjects } from './scoped-objects.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Expectation {
  readonly settings?: Partial<MeshDefaults>;
  readonly addresses?: Readonly<Record<string, Fields>>;
  readonly policies?: Readonly<Record<string, Fields>>;
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

interface Scenario {
  readonly objects: readonly KubeObject[];
  readonly expected: Expectation;
}

const folder = new URL('scenarios/', import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace(/\.yaml$/, ''))
  .sort();

function readScenario(name: string): Scenario {
  const documents = parseManifests(readFileSync(new URL(`${name}.yaml`, folder), 'utf8'));
  const last = documents.at(-1) as { readonly expect?: Expectation } | undefined;
  if (last?.expect === undefined) throw new Error(`${name}: the last document has no expectation`);
  return { objects: asStored(documents.slice(0, -1)), expected: last.expect };
}

/** Of every cluster here, and of no interest. */
const standing: ReadonlySet<string> = new Set([
  'default/kubernetes.default.svc.cluster.local',
  'Kubernetes/discovery.k8s.io/EndpointSlice/default/kubernetes/10.250.0.1',
]);

/** The way of objects from the API server to what is sent and written. */
class Rig {
  readonly #mesh: MeshInForce;
  readonly #engine: Engine<Finding>;
  readonly #scope: ScopedObjects;
  readonly #reports = new Map<string, Report<Finding>>();

  constructor({ objects, expected }: Scenario) {
    this.#mesh = new MeshInForce({ ...meshDefaults, ...expected.settings }, testLog());
    this.#engine = new Engine<Finding>({
      derivations: derivations(this.#mesh, () => '2026-01-01T00:00:00Z'),
      log: testLog(),
      onReport: (report) => void this.#reports.set(`${report.derivation} ${report.key}`, report),
    });
    this.#scope = new ScopedObjects({
      inner: (kind) => this.#engine.target(kind),
      kinds: kindNames,
      mesh: () => this.#mesh.settings,
    });
    this.#mesh.onChange(() => {
      this.#scope.rescope();
      this.#engine.invalidateAll();
    });
    for (const object of objects) {
      const kind = object.kind as KindName;
      // Nobody watches other kinds.
      if (kindNames.includes(kind)) this.#scope.target(kind).put(objectKey(object), object);
    }
    while (!this.#engine.work());
    this.#engine.takeBatch();
    expect(this.#engine.state().failures, 'translators that threw').to.equal(0);
  }

  /** By name, in the form of golden/expected. */
  addresses(): Record<string, Fields> {
    const found: Record<string, Fields> = {};
    for (const { name, bytes } of this.#engine.resources(typeUrl.address)) {
      const { workload, service } = goldenForm(istio.workload.Address.decode(bytes)) as Record<
        string,
        Fields
      >;
      if (!standing.has(name)) found[name] = workload ?? service ?? {};
    }
    return found;
  }

  policies(): Record<string, Fields> {
    const found: Record<string, Fields> = {};
    for (const { name, bytes } of this.#engine.resources(typeUrl.authorization))
      found[name] = goldenForm(istio.security.Authorization.decode(bytes)) as Fields;
    return found;
  }

  conditions(): Record<string, Record<string, string>> {
    const found: Record<string, Record<string, string>> = {};
    for (const { kind, key, conditions } of this.#reports.values())
      for (const finding of conditions) {
        if (finding.kind !== 'status') continue;
        const written = finding.apply.body.status['conditions'] as readonly Condition[];
        const of = (found[`${kind ?? ''} ${key}`] ??= {});
        for (const { type, status, reason } of written) of[type] = `${status}/${reason}`;
      }
    return found;
  }
}

/** Lists in the order of the golden form: none of them has one of its own. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = (value as unknown[]).map(inOrder);
    return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, inOrder(each)]));
}

function compare(
  what: string,
  actual: Record<string, Fields>,
  expected: Readonly<Record<string, Fields>>,
): void {
  expect(Object.keys(actual).sort(), what).to.deep.equal(Object.keys(expected).sort());
  for (const [name, fields] of Object.entries(expected))
    for (const [field, value] of Object.entries(fields))
      expect(actual[name]?.[field] ?? null, `${name}: ${field}`).to.deep.equal(inOrder(value));
}

describe('clusters and what is sent for them', () => {
  for (const name of names)
    it(name.replaceAll('-', ' '), () => {
      const scenario = readScenario(name);
      const rig = new Rig(scenario);
      compare('workloads and services', rig.addresses(), scenario.expected.addresses ?? {});
      compare('policies', rig.policies(), scenario.expected.policies ?? {});
      expect(rig.conditions(), 'conditions').to.deep.equal(scenario.expected.conditions ?? {});
    });
});
