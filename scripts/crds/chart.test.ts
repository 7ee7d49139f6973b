import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { kinds } from './kinds.ts';
import { schemaErrors } from './manifests.ts';
import type { Schema } from './schema.ts';

const chart = path.resolve(import.meta.dirname, '../../charts/base');
const read = (name: string): string => readFileSync(path.join(chart, name), 'utf8');

describe('the base chart', () => {
  const schema = JSON.parse(read('values.schema.json')) as Schema;
  const values = parse(read('values.yaml')) as Record<string, Record<string, unknown>>;

  it('has values that its schema takes', () => {
    expect(schemaErrors(schema, values)).to.deep.equal([]);
  });

  it('describes every value, and has every value that it describes but global', () => {
    expect(Object.keys(schema.properties ?? {}).filter((name) => name !== 'global')).to.have.members(
      Object.keys(values),
    );
  });

  for (const [at, changed] of [
    [
      'validation.failurePolicy',
      { ...values, validation: { ...values['validation'], failurePolicy: 'Maybe' } },
    ],
    ['service.port', { ...values, service: { ...values['service'], port: '443' } }],
    ['revision', { ...values, revision: 'Canary' }],
  ] as const)
    it(`refuses a wrong ${at}`, () => {
      expect(schemaErrors(schema, changed).join()).to.contain(at);
    });

  it('lets the control plane write the status of every Gateway API kind that has one', () => {
    const role = read('templates/clusterrole.yaml');
    for (const { group, plural, versions } of kinds)
      if (group.startsWith('gateway.') && versions.some(({ status }) => status !== undefined))
        expect(role).to.contain(`${plural}/status`);
  });

  it('grants no wildcard verb, and no list of Secrets but by name', () => {
    for (const name of ['clusterrole', 'role']) {
      const template = read(`templates/${name}.yaml`);
      expect(template).not.to.match(/verbs:.*['"]?\*/);
      for (const rule of template.split('- apiGroups').filter((part) => part.includes('secrets]')))
        if (/\b(get|list|watch)\b/.test(/verbs: (.*)/.exec(rule)?.[1] ?? ''))
          expect(rule).to.contain('resourceNames');
    }
  });
});
