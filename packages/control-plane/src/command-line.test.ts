import { expect } from 'chai';

import { parseCommandLine } from './command-line.ts';

describe('command line of the control plane', () => {
  it('runs, with flags as settings, and passes over the word that istiod takes', () => {
    for (const args of [[], ['discovery']])
      expect(parseCommandLine([...args, '--kubeconfig', 'k', '--domain=c.d'])).to.deep.equal({
        kind: 'run',
        overrides: { KUBECONFIG: 'k', CLUSTER_DOMAIN: 'c.d' },
      });
    expect(parseCommandLine(['-v']).kind).to.equal('version');
  });

  it('revokes by serial number as tools print it', () => {
    const command = parseCommandLine([
      'revoke',
      '--serial',
      '0A:FF',
      '--reason',
      'keyCompromise',
      '--namespace',
      'mesh',
    ]);
    expect(command).to.deep.equal({
      kind: 'revoke',
      overrides: { POD_NAMESPACE: 'mesh' },
      target: { kind: 'serial', serialNumber: '0aff' },
      reason: 'keyCompromise',
    });
  });

  it('revokes an identity', () => {
    expect(
      parseCommandLine(['revoke', '--identity', 'spiffe://cluster.local/ns/shop/sa/till']),
    ).to.deep.include({
      target: {
        kind: 'identity',
        identity: { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'till' },
      },
      reason: 'unspecified',
    });
  });

  it('rotates the root', () => {
    expect(parseCommandLine(['rotate-root', '--follow'])).to.deep.equal({
      kind: 'rotate-root',
      overrides: {},
      follow: true,
    });
  });

  it('has a help for each command', () => {
    for (const [args, text] of [
      [['--help'], 'rotate-root'],
      [['revoke', '-h'], '--serial HEX'],
      [['rotate-root', '--help'], '--follow'],
    ] as const) {
      const command = parseCommandLine(args);
      expect(command.kind).to.equal('help');
      expect(command.kind === 'help' && command.text).to.contain(text);
    }
  });

  for (const [args, problem] of [
    [['serve'], /serve/],
    [['--serial', '0a'], /--serial/],
    [['revoke'], /either --serial HEX or --identity/],
    [['revoke', '--serial', '0a', '--identity', 'spiffe://c/ns/a/sa/b'], /either --serial HEX or --identity/],
    [['revoke', '--serial', 'xyz'], /--serial: "xyz" is no serial number/],
    [['revoke', '--serial', ''], /is no serial number/],
    [['revoke', '--identity', 'shop/till'], /is not spiffe:/],
    [['revoke', '--serial', '0a', '--reason', 'toString'], /--reason toString is not one of: unspecified, /],
    [['revoke', '--serial'], /--serial/],
    [['rotate-root', 'now'], /now/],
  ] as const)
    it(`names what is wrong with: ${args.join(' ')}`, () => {
      const command = parseCommandLine(args);
      expect(command.kind).to.equal('wrong');
      expect(command.kind === 'wrong' && command.problem).to.match(problem);
    });
});
