import { expect } from 'chai';
import fc from 'fast-check';
import { labelKeys, selectorKey } from './selector-keys.ts';

describe('keys of selectors', () => {
  it('are none for what selects nothing', () => {
    for (const selector of [undefined, null, {}, 'x', { app: 7 }]) {
      expect(selectorKey('ns', selector as never), JSON.stringify(selector)).to.equal(undefined);
    }
  });

  it('are found by every workload that the selector matches, whatever else that is labelled with', () => {
    const name = fc.constantFrom(
      'app',
      'app.kubernetes.io/name',
      'app.kubernetes.io/instance',
      'tier',
      'x',
      'y/z',
    );
    const labels = fc.dictionary(name, fc.constantFrom('a', 'b', 'long-value', ''), { maxKeys: 6 });
    fc.assert(
      fc.property(labels, labels, (selector, others) => {
        const key = selectorKey('ns', selector);
        if (key !== undefined) expect(labelKeys('ns', { ...others, ...selector })).to.include(key);
      }),
    );
  });

  it('part releases of one chart from each other, and namespaces', () => {
    const of = (instance: string): Record<string, string> => ({
      'app.kubernetes.io/name': 'redis',
      'app.kubernetes.io/instance': instance,
    });
    expect(labelKeys('ns', of('a'))).not.to.include(selectorKey('ns', of('b')));
    expect(labelKeys('other', of('a'))).not.to.include(selectorKey('ns', of('a')));
  });

  it('are few for a workload with many labels', () => {
    const labels = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`l${i}`, 'v']));
    const all = {
      ...labels,
      app: 'a',
      ...{
        'app.kubernetes.io/name': 'n',
        'app.kubernetes.io/instance': 'i',
        'app.kubernetes.io/component': 'c',
      },
    };
    expect(labelKeys('ns', all)).to.have.length(15 + 20);
  });
});
