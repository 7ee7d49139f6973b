import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { definitions } from './manifests.ts';
import { crdFolder, staleFiles } from './print.ts';
import type { Schema } from './schema.ts';
import { structuralFaults } from './structural.ts';

describe('custom resource definitions', () => {
  it('are checked in as the descriptions give them', function () {
    this.timeout(30_000); // prints a megabyte of YAML
    expect(staleFiles()).to.deep.equal([]);
  });

  it('are one definition a file, named as the API server demands', function () {
    this.timeout(30_000); // parses a megabyte of YAML
    for (const name of readdirSync(crdFolder)) {
      const definition = parse(readFileSync(path.join(crdFolder, name), 'utf8')) as {
        kind: string;
        metadata: { name: string };
        spec: { group: string; names: { plural: string } };
      };
      expect(definition.kind).to.equal('CustomResourceDefinition');
      const { group, names } = definition.spec;
      expect(definition.metadata.name).to.equal(`${names.plural}.${group}`);
      expect(name).to.equal(`${group}_${names.plural}.yaml`);
    }
  });

  for (const { spec } of definitions) {
    describe(`${spec.names.kind}.${spec.group}`, () => {
      it('stores exactly one of its versions', () => {
        expect(spec.versions.filter(({ storage }) => storage)).to.have.lengthOf(1);
      });

      for (const { name, schema, additionalPrinterColumns, subresources } of spec.versions) {
        const root = schema.openAPIV3Schema;

        it(`${name} is structural`, () => {
          const { metadata: _, ...properties } = root.properties ?? {};
          expect(structuralFaults({ ...root, properties })).to.deep.equal([]);
        });

        it(`${name} has the fields that its columns show`, () => {
          for (const { jsonPath } of additionalPrinterColumns)
            expect(fieldExists(root, jsonPath), jsonPath).to.be.true;
        });

        it(`${name} has a status subresource exactly if it has a status`, () => {
          expect(subresources !== undefined).to.equal(root.properties?.['status'] !== undefined);
        });

        it(`${name} explains every field`, () => {
          expect(unexplained(root)).to.deep.equal([]);
        });
      }
    });
  }
});

describe('structuralFaults', () => {
  const cases: readonly [string, Schema, string][] = [
    [
      'a level without a type',
      { type: 'object', properties: { a: { description: 'a' } } },
      '.a: needs a type',
    ],
    ['a list without items', { type: 'array' }, 'has no items'],
    ['a reference', { type: 'object', $ref: '#/a' } as Schema, 'has a reference'],
    ['a type within a union', { type: 'object', oneOf: [{ type: 'string' } as object] }, 'belongs outside'],
    ['a required field that is not there', { type: 'object', properties: {}, required: ['a'] }, 'requires a'],
    [
      'a merge key that may be missing',
      {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['a'],
        items: { type: 'object', properties: { a: { type: 'string' } } },
      },
      'key a may be missing',
    ],
    [
      'both named and free fields',
      { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
      'both properties and additionalProperties',
    ],
  ];
  for (const [title, schema, fault] of cases)
    it(`finds ${title}`, () => {
      expect(structuralFaults(schema).join()).to.contain(fault);
    });
});

/** Whether a JSONPath such as `.status.conditions[?(@.type=="A")].status` leads to a field of the schema. */
function fieldExists(schema: Schema, jsonPath: string): boolean {
  const steps = jsonPath
    .replaceAll(/\[[^\]]*\]/g, '[]')
    .slice(1)
    .split('.');
  if (steps[0] === 'metadata') return steps[1] === 'creationTimestamp';
  let node: Schema | undefined = schema;
  for (const step of steps) {
    node = node?.properties?.[step.replace('[]', '')];
    if (step.endsWith('[]')) node = node?.items;
  }
  return node !== undefined;
}

/** Paths of fields that `kubectl explain` would show without a sentence. */
function unexplained(schema: Schema, at = ''): string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => [
    ...(child.description === undefined && name !== 'metadata' ? [`${at}.${name}`] : []),
    ...unexplained(child, `${at}.${name}`),
  ]);
  return schema.items === undefined ? below : [...below, ...unexplained(schema.items, `${at}[]`)];
}
