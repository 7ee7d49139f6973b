import { expect } from 'chai';
import { compareLists } from './pod-applier.ts';
import type { BackendFinding } from './probe.ts';
import { chooseBackend } from './probe.ts';
import { RulesError } from './errors.ts';
import { renderNftAddition, renderSetAddition } from './host-rules.ts';

const finding = (name: BackendFinding['name'], failure?: string, rulesOfOthers = 0): BackendFinding => ({
  name,
  failure,
  rulesOfOthers,
});

describe('choice of the back end', () => {
  const table: readonly (readonly [string, BackendFinding[], boolean, boolean, string])[] = [
    ['iptables by default', [finding('nft'), finding('iptables-nft')], false, false, 'iptables-nft'],
    ['nftables when asked for', [finding('nft'), finding('iptables-nft')], true, false, 'nft'],
    [
      'iptables where it has been used',
      [finding('nft'), finding('iptables-nft')],
      true,
      true,
      'iptables-nft',
    ],
    [
      'what others use',
      [finding('iptables-nft'), finding('iptables-legacy', undefined, 9)],
      false,
      false,
      'iptables-legacy',
    ],
    ['nftables where iptables fails', [finding('nft'), finding('iptables-nft', 'no')], false, false, 'nft'],
    ['iptables where nftables fails', [finding('nft', 'no'), finding('iptables')], true, false, 'iptables'],
  ];
  for (const [title, backends, nativeNftables, iptablesSets, expected] of table)
    it(title, () => {
      expect(chooseBackend({ backends, iptablesSets }, { nativeNftables, ipv6: true })).to.equal(expected);
    });

  it('names every reason and the modules when none works', () => {
    const findings = {
      backends: [finding('nft', 'cannot run nft'), finding('iptables-nft', 'no table nat')],
      iptablesSets: false,
    };
    expect(() => chooseBackend(findings, { nativeNftables: false, ipv6: true }))
      .to.throw(RulesError, /nft: cannot run nft; iptables-nft: no table nat.*modprobe.*AMBIENT_IPV6=false/s)
      .with.property('code', 'ERR_RULES_UNSUPPORTED');
  });
});

describe('comparison of rules', () => {
  it('tells what is missing, what is too much, and a change of order', () => {
    expect(compareLists(['a', 'b'], ['a', 'b'])).to.deep.equal([]);
    expect(compareLists(['a', 'x'], ['a', 'b'])).to.deep.equal([
      { kind: 'missing', what: 'b' },
      { kind: 'unexpected', what: 'x' },
    ]);
    expect(compareLists(['b', 'a'], ['a', 'b'])).to.have.length(1);
    expect(compareLists(['a', 'a'], ['a'])).to.deep.equal([{ kind: 'unexpected', what: 'a once more' }]);
  });
});

describe('addresses of probed pods', () => {
  it('carry no syntax in their comments', () => {
    const member = { ip: '10.0.0.1', uid: 'a"} ; flush ruleset\n' };
    expect(renderSetAddition(member)).to.equal(
      'add istio-inpod-probes-v4 10.0.0.1 comment "a_____flush_ruleset_"\n',
    );
    expect(renderNftAddition(member)).to.contain('{ 10.0.0.1 comment "a_____flush_ruleset_" }');
  });
});
