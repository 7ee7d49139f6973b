import { expect } from 'chai';
import type { EnrolmentFacts } from './eligibility.ts';
import { decideEnrolment, readSelectors, SelectorError, standardSelectors } from './eligibility.ts';

const mode = (value: string): Record<string, string> => ({ 'istio.io/dataplane-mode': value });
const settings = { selectors: standardSelectors, excludedNamespaces: ['kube-system'] };

describe('enrolment of a pod', () => {
  const facts = (changed: Partial<EnrolmentFacts>): EnrolmentFacts => ({
    namespace: 'shop',
    namespaceLabels: undefined,
    podLabels: undefined,
    podAnnotations: undefined,
    hostNetwork: false,
    ...changed,
  });
  const table: readonly (readonly [string, Partial<EnrolmentFacts>, string])[] = [
    ['nothing labelled', {}, 'not-selected'],
    ['its namespace is labelled', { namespaceLabels: mode('ambient') }, 'enrolled'],
    ['itself is labelled', { podLabels: mode('ambient') }, 'enrolled'],
    [
      'it says no in a labelled namespace',
      { namespaceLabels: mode('ambient'), podLabels: mode('none') },
      'not-selected',
    ],
    [
      'it says yes in a namespace that says no',
      { namespaceLabels: mode('none'), podLabels: mode('ambient') },
      'enrolled',
    ],
    ['its namespace has another mode', { namespaceLabels: mode('sidecar') }, 'not-selected'],
    [
      'another mode in a labelled namespace',
      { namespaceLabels: mode('ambient'), podLabels: mode('x') },
      'enrolled',
    ],
    [
      'it has a sidecar',
      { podLabels: mode('ambient'), podAnnotations: { 'sidecar.istio.io/status': '' } },
      'has-sidecar',
    ],
    ['it is in the node network', { podLabels: mode('ambient'), hostNetwork: true }, 'host-network'],
    [
      'its namespace is excluded',
      { namespace: 'kube-system', podLabels: mode('ambient') },
      'namespace-excluded',
    ],
    ['labels named as members of Object', { podLabels: { toString: 'ambient' } }, 'not-selected'],
  ];
  for (const [title, changed, expected] of table)
    it(`${title}: ${expected}`, () => {
      const result = decideEnrolment(facts(changed), settings);
      expect(result.enrolled ? 'enrolled' : result.reason).to.equal(expected);
    });

  it('without selectors enrols nobody, with an empty selector everybody', () => {
    const everybody = readSelectors([{}], 's');
    expect(decideEnrolment(facts({}), { ...settings, selectors: everybody }).enrolled).to.equal(true);
    expect(
      decideEnrolment(facts({ podLabels: mode('ambient') }), { ...settings, selectors: [] }).enrolled,
    ).to.equal(false);
  });
});

describe('selectors', () => {
  const selected = (podSelector: unknown, podLabels: Record<string, string>): boolean =>
    decideEnrolment(
      { namespace: 'shop', namespaceLabels: {}, podLabels, podAnnotations: {}, hostNetwork: false },
      { selectors: readSelectors([{ podSelector }], 's'), excludedNamespaces: [] },
    ).enrolled;
  const expression = (operator: string, values?: string[]): unknown => ({
    matchExpressions: [{ key: 'a', operator, values }],
  });
  const table: readonly (readonly [unknown, Record<string, string>, boolean])[] = [
    [{ matchLabels: { a: '1', b: '2' } }, { a: '1' }, false],
    [{ matchLabels: { a: '1', b: '2' } }, { a: '1', b: '2', c: '3' }, true],
    [expression('In', ['1', '2']), { a: '2' }, true],
    [expression('In', ['1']), {}, false],
    [expression('NotIn', ['1']), {}, true],
    [expression('NotIn', ['1']), { a: '1' }, false],
    [expression('Exists'), { a: '' }, true],
    [expression('Exists'), {}, false],
    [expression('DoesNotExist'), {}, true],
    [expression('DoesNotExist'), { a: '' }, false],
  ];
  for (const [selector, labels, expected] of table)
    it(`${JSON.stringify(selector)} of ${JSON.stringify(labels)}: ${expected}`, () => {
      expect(selected(selector, labels)).to.equal(expected);
    });

  const bad: readonly (readonly [unknown, string])[] = [
    [{}, 's must be a list'],
    [[7], 's[0] must be an object'],
    [[{ podSelector: [] }], 's[0].podSelector must be an object'],
    [[{ podSelector: { matchLabels: { a: 1 } } }], 's[0].podSelector.matchLabels.a'],
    [[{ namespaceSelector: { matchExpressions: {} } }], 's[0].namespaceSelector.matchExpressions must'],
    [[{ podSelector: expression('Near', ['1']) }], '[0].operator must be'],
    [[{ podSelector: expression('In') }], '[0].values must be'],
    [[{ podSelector: expression('Exists', ['1']) }], '[0].values must be empty'],
    [[{ podSelector: { matchExpressions: [{ operator: 'Exists' }] } }], '[0].key'],
  ];
  for (const [value, message] of bad)
    it(`refuse ${JSON.stringify(value)}`, () => {
      expect(() => readSelectors(value, 's')).to.throw(SelectorError, message);
    });
});
