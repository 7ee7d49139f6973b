import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenFiles } from './golden-cases.ts';
import { captureAnnotations, podCapture, standardProbeAddress } from './pod-capture.ts';

const golden = join(import.meta.dirname, 'golden');

describe('rules of a captured pod', () => {
  for (const [name, content] of goldenFiles())
    it(`are those of golden/${name}`, () => {
      const wanted = readFileSync(join(golden, name), 'utf8');
      expect(content, 'node packages/cni/src/rules/write-golden.ts').to.equal(wanted);
    });

  it('have no golden file that nobody compares with', () => {
    expect(readdirSync(golden).sort()).to.deep.equal([...goldenFiles().keys()].sort());
  });
});

describe('annotations of a pod', () => {
  const defaults = { ipv6: true, dns: true, probeAddress: standardProbeAddress };
  const { bypassInbound, dns, virtualInterfaces } = captureAnnotations;

  const table: readonly (readonly [string, Record<string, string> | undefined, object, number])[] = [
    ['none', undefined, { inbound: true, dns: true, virtualInterfaces: [] }, 0],
    ['bypass', { [bypassInbound]: 'true' }, { inbound: false }, 0],
    ['no bypass', { [bypassInbound]: 'F' }, { inbound: true }, 0],
    ['no DNS', { [dns]: '0' }, { dns: false }, 0],
    ['a bool that is none', { [dns]: 'no', [bypassInbound]: 'true' }, { dns: true, inbound: false }, 1],
    ['interfaces', { [virtualInterfaces]: ' vm0, tap-1,,vm0' }, { virtualInterfaces: ['vm0', 'tap-1'] }, 0],
    [
      'names that would be syntax',
      { [virtualInterfaces]: 'a\n-A OUTPUT -j DROP,vm0,"x,-j,0123456789abcdef,..,a b,eth+' },
      { virtualInterfaces: ['vm0'] },
      7,
    ],
    ['a name of Object', { constructor: 'true' }, { inbound: true }, 0],
  ];
  for (const [title, annotations, expected, problems] of table)
    it(title, () => {
      const result = podCapture(annotations, defaults);
      for (const [key, value] of Object.entries(expected))
        expect(result.capture[key as 'dns'], key).to.deep.equal(value);
      expect(result.problems).to.have.length(problems);
    });

  it('win over what the agent is set to', () => {
    expect(podCapture({ [dns]: 'true' }, { ...defaults, dns: false }).capture.dns).to.equal(true);
  });
});
