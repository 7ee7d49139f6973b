import { createRequire } from 'node:module';
import path from 'node:path';
import { expect } from 'chai';
import { kinds } from './kinds.ts';
import { appliedRules, definitions, manifests, schemaErrors, schemaOf } from './manifests.ts';
import type { Schema } from './schema.ts';

const folder = path.resolve(import.meta.dirname, '../../test/crds');
const requireOfLab = createRequire(new URL('../../packages/lab/package.json', import.meta.url));
const cel = requireOfLab('@marcbachmann/cel-js') as { parse(rule: string): (variables: object) => unknown };

describe('manifests that teams have', () => {
  const accepted = manifests(path.join(folder, 'accepted'));

  it('are there for every kind', () => {
    const seen = new Set(accepted.map(({ apiVersion, kind }) => `${apiVersion.split('/')[0] ?? ''}/${kind}`));
    expect(
      kinds.map(({ group, kind }) => `${group}/${kind}`).filter((kind) => !seen.has(kind)),
    ).to.deep.equal([]);
  });

  for (const object of accepted)
    it(`${object.apiVersion} ${object.kind} ${object.metadata.name} is taken`, () => {
      const schema = schemaOf(object);
      expect(schema, 'schema').to.exist;
      expect(schemaErrors(schema!, object)).to.deep.equal([]);
      for (const { rule, self } of appliedRules(schema!, object))
        if (!rule.rule.includes('oldSelf')) expect(cel.parse(rule.rule)({ self }), rule.rule).to.be.true;
    });
});

describe('broken manifests', () => {
  for (const object of manifests(path.join(folder, 'refused/by-schema.yaml'))) {
    const at = object.metadata.annotations?.['refused-at'] ?? '';
    it(`${object.kind} ${object.metadata.name} is refused at ${at}`, () => {
      expect(schemaErrors(schemaOf(object)!, object).map((error) => error.split(': ')[0])).to.include(at);
    });
  }

  for (const object of manifests(path.join(folder, 'refused/by-rule.yaml'))) {
    const text = object.metadata.annotations?.['refused-with'] ?? '';
    it(`${object.kind} ${object.metadata.name} is refused: ${text}`, () => {
      const schema = schemaOf(object)!;
      expect(schemaErrors(schema, object)).to.deep.equal([]);
      const broken = [...appliedRules(schema, object)].filter(
        ({ rule, self }) => cel.parse(rule.rule)({ self }) !== true,
      );
      expect(broken.map(({ rule }) => rule.message).join('\n')).to.contain(text);
    });
  }
});

describe('rules', () => {
  it('are all expressions that parse', () => {
    const seen = new Set<string>();
    for (const { spec } of definitions)
      for (const { schema } of spec.versions) collect(schema.openAPIV3Schema, seen);
    expect(seen.size).to.be.greaterThan(40);
    for (const rule of seen) expect(() => cel.parse(rule), rule).not.to.throw();
  });
});

function collect(schema: Schema, into: Set<string>): void {
  for (const { rule } of schema['x-kubernetes-validations'] ?? []) into.add(rule);
  for (const child of Object.values(schema.properties ?? {})) collect(child, into);
  if (schema.items !== undefined) collect(schema.items, into);
  if (schema.additionalProperties !== undefined) collect(schema.additionalProperties, into);
}
