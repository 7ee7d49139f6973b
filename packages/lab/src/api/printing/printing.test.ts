import { expect } from 'chai';

import { age } from './column.ts';
import { compileJsonPath } from './json-path.ts';

describe('age', () => {
  const ages: readonly [number, string][] = [
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [150, '2m30s'],
    [3599, '59m'],
    [3 * 3600 + 60, '3h1m'],
    [9 * 3600, '9h'],
    [49 * 3600, '2d1h'],
    [30 * 86_400, '30d'],
    [800 * 86_400, '2y70d'],
  ];
  for (const [seconds, text] of ages)
    it(`of ${seconds} seconds is ${text}`, () => {
      expect(age('1970-01-01T00:00:00Z', seconds * 1000)).to.equal(text);
    });

  it('is unknown without a time', () => {
    expect(age(undefined, 0)).to.equal('<unknown>');
  });
});

describe('compileJsonPath', () => {
  const object = {
    metadata: { annotations: { 'x.io/y': 'z' } },
    status: {
      conditions: [
        { type: 'A', status: 'True' },
        { type: 'B', status: 'False' },
      ],
    },
    spec: { hosts: ['a', 'b'] },
  };
  const paths: readonly [string, unknown[]][] = [
    ['.spec.hosts', [['a', 'b']]],
    ['.spec.hosts[0]', ['a']],
    ['.spec.hosts[-1]', ['b']],
    ['.spec.hosts[*]', ['a', 'b']],
    ['.status.conditions[?(@.type=="B")].status', ['False']],
    ['.status.conditions[?(@.type!="B")].status', ['True']],
    ['.metadata.annotations.x\\.io/y', ['z']],
    [".metadata.annotations['x.io/y']", ['z']],
    ['.spec.nothing.here', []],
    ['.constructor', []],
    ['.spec[', []],
  ];
  for (const [path, found] of paths)
    it(`${path} finds ${JSON.stringify(found)}`, () => {
      expect(compileJsonPath(path)(object)).to.deep.equal(found);
    });
});
