import { expect } from 'chai';
import type { PodCapture, RuleBackend } from '@ambient/cni';
import {
  chooseBackend,
  makeBackend,
  makeHostRules,
  podCapture,
  PodRuleApplier,
  probeNode,
  RulesError,
  standardProbeAddress,
} from '@ambient/cni';
import type { Netns } from '@ambient/testkit/lab';
import { NetnsLab } from '@ambient/testkit/lab';
import { backends } from './backends.ts';
import { PodSockets } from './pod-sockets.ts';

const { capture } = podCapture({}, { ipv6: true, dns: true, probeAddress: standardProbeAddress });

for (const name of backends)
  describe(`upkeep of rules with ${name}`, () => {
    const backend = makeBackend(name, true);
    const applier = new PodRuleApplier(backend, true);
    let lab: NetnsLab;
    let pod: Netns;
    let node: Netns;
    let sockets: PodSockets;

    before(async () => {
      lab = NetnsLab.create();
      [node, pod] = [await lab.namespace('node'), await lab.namespace('pod')];
      await lab.network([node, pod]);
      await pod.must(['ip', 'route', 'add', 'default', 'via', node.ipv4]);
      await pod.must(['ip', '-6', 'route', 'add', 'default', 'via', node.ipv6]);
      sockets = new PodSockets();
      sockets.listen(pod, 'application', 8080);
      sockets.listen(pod, 'inbound', 15006, 0x539);
    });

    after(async () => {
      sockets.close();
      await lab.destroy();
    });

    const drift = async (wanted: PodCapture = capture): Promise<string[]> =>
      (await applier.check(sockets.namespace(pod), wanted)).map(({ kind, what }) => `${kind} ${what}`);

    it('finds nothing amiss after it has set the rules, however often', async () => {
      for (let n = 0; n < 2; n++) {
        await applier.apply(sockets.namespace(pod), capture);
        expect(await drift()).to.deep.equal([]);
      }
    });

    const ipv6Tool = name.replace('ip', 'ip6');
    const tampering: readonly (readonly [string, readonly string[], RegExp])[] = [
      [
        'all rules flushed',
        name === 'nft' ? ['nft', 'flush', 'ruleset'] : [name, '-t', 'nat', '-F'],
        /^missing .*15001/m,
      ],
      [
        'one rule gone',
        name === 'nft'
          ? ['nft', 'flush', 'chain', 'inet', 'istio-ambient-mangle', 'istio-output']
          : [ipv6Tool, '-t', 'mangle', '-F', 'ISTIO_OUTPUT'],
        /^missing .*(restore-mark|meta mark set ct mark)/m,
      ],
      [
        'a rule before the others',
        name === 'nft'
          ? ['nft', 'insert', 'rule', 'inet', 'istio-ambient-nat', 'istio-output', 'accept']
          : [name, '-t', 'nat', '-I', 'ISTIO_OUTPUT', '-j', 'ACCEPT'],
        /^unexpected .*accept/im,
      ],
      [
        'a jump gone',
        name === 'nft'
          ? ['nft', 'flush', 'chain', 'inet', 'istio-ambient-nat', 'output']
          : [name, '-t', 'nat', '-D', 'OUTPUT', '-j', 'ISTIO_OUTPUT'],
        /^missing .*OUTPUT/im,
      ],
      ['the routing rule gone', ['ip', 'rule', 'del', 'pref', '32764'], /^missing ip -4 rule/m],
      ['the route gone', ['ip', '-6', 'route', 'flush', 'table', '100'], /^missing ip -6 route/m],
    ];
    for (const [title, argv, expected] of tampering)
      it(`finds ${title}, and sets it right`, async () => {
        await applier.apply(sockets.namespace(pod), capture);
        await pod.must(argv);
        expect((await drift()).join('\n')).to.match(expected);
        await applier.renew(sockets.namespace(pod), capture);
        expect(await drift()).to.deep.equal([]);
      });

    it('finds that a pod is captured otherwise than it asks for', async () => {
      await applier.apply(sockets.namespace(pod), capture);
      expect((await drift({ ...capture, dns: false })).join('\n')).to.match(/^unexpected .*15053/m);
    });

    it("keeps other people's rules, and is not misled by them", async () => {
      const foreign =
        name === 'nft'
          ? ['nft', 'add table inet other; add chain inet other c { type filter hook input priority 0; }']
          : [name, '-t', 'nat', '-A', 'OUTPUT', '-d', '192.0.2.7', '-j', 'RETURN'];
      await pod.must(foreign);
      await applier.apply(sockets.namespace(pod), capture);
      expect(await drift()).to.deep.equal([]);
      await applier.remove(sockets.namespace(pod));
      const left = await pod.must(name === 'nft' ? ['nft', 'list', 'ruleset'] : [`${name}-save`]);
      expect(left).to.match(name === 'nft' ? /table inet other/ : /192\.0\.2\.7/);
    });

    it('takes back what it has set when a step fails, and names the step', async () => {
      const failing: RuleBackend = {
        name: 'failing',
        install: async (...args) => {
          await backend.install(...args);
          throw new RulesError('ERR_RULES_STEP', 'set the last rule: no');
        },
        uninstall: (namespace) => backend.uninstall(namespace),
        list: (...args) => backend.list(...args),
      };
      const error = await failure(new PodRuleApplier(failing, true).apply(sockets.namespace(pod), capture));
      expect(error).to.include({ code: 'ERR_RULES_STEP', message: 'set the last rule: no' });
      expect(await backend.list(sockets.namespace(pod), capture)).to.deep.equal([]);
      expect(await pod.must(['ip', 'rule', 'show'])).to.not.contain('32764');
    });

    it('opens no pod that is captured, though its rules cannot all be set anew', async () => {
      const namespace = sockets.namespace(pod);
      await applier.apply(namespace, capture);
      const whole = await backend.list(namespace, capture);
      await pod.must(['ip', 'link', 'set', 'lo', 'down']); // takes the routes along, and refuses new ones
      try {
        await pod.must(name === 'nft' ? ['nft', 'flush', 'ruleset'] : [name, '-t', 'nat', '-F']);
        const error = await failure(applier.renew(namespace, capture));
        expect(error).to.include({ code: 'ERR_RULES_STEP' });
        expect((error as Error).message).to.contain('ENETDOWN');
        expect(await backend.list(namespace, capture)).to.deep.equal(whole);
        expect(sockets.dial(node, { ip: pod.ipv4, port: 8080 }).at).to.equal('inbound');
      } finally {
        await pod.must(['ip', 'link', 'set', 'lo', 'up']);
      }
      await applier.renew(namespace, capture);
      expect(await drift()).to.deep.equal([]);
    });

    it('says so when it cannot take it back', async () => {
      const stuck: RuleBackend = {
        name: 'stuck',
        install: () => Promise.reject(new RulesError('ERR_RULES_STEP', 'set: no')),
        uninstall: () => Promise.reject(new RulesError('ERR_RULES_STEP', 'remove: no')),
        list: () => Promise.resolve([]),
      };
      const error = await failure(new PodRuleApplier(stuck, true).apply(sockets.namespace(pod), capture));
      expect(error).to.include({ code: 'ERR_RULES_HALF_SET' });
      expect((error as Error).message)
        .to.contain('set: no')
        .and.to.contain('remove: no');
    });

    describe('on the node', () => {
      const host = (): ReturnType<typeof makeHostRules> =>
        makeHostRules(name, {
          namespace: sockets.namespace(node),
          ipv6: true,
          probeAddress: standardProbeAddress,
        });
      const members = (): { ip: string; uid: string }[] => [
        { ip: pod.ipv4, uid: 'a' },
        { ip: pod.ipv6, uid: 'a' },
      ];
      const probe = (): string[] =>
        [pod.ipv4, pod.ipv6].map((ip) => sockets.dial(node, { ip, port: 8080 }).at);

      before(() => applier.apply(sockets.namespace(pod), capture));

      it("lets the node's own connections to a captured pod come from the probe address, over both families", async () => {
        const rules = host();
        expect(probe()).to.deep.equal(['inbound', 'inbound']);
        await rules.replace(members());
        expect(probe()).to.deep.equal(['application', 'application']);
        expect(sockets.dial(node, { ip: pod.ipv4, port: 8080 }).from).to.equal(standardProbeAddress.v4);
        expect(sockets.dial(node, { ip: pod.ipv6, port: 8080 }).from).to.equal(standardProbeAddress.v6);
        await rules.uninstall();
        expect(probe()).to.deep.equal(['inbound', 'inbound']);
      });

      it('adds and removes single addresses, of their present owner only', async () => {
        const rules = host();
        await rules.replace([]);
        for (const member of members()) await rules.add(member);
        await rules.add({ ip: pod.ipv4, uid: 'b' });
        expect(probe()).to.deep.equal(['application', 'application']);
        for (const member of members()) await rules.remove(member);
        expect(probe()).to.deep.equal(['application', 'inbound']);
        const listing = await node.must(name === 'nft' ? ['nft', 'list', 'ruleset'] : ['ipset', 'list']);
        expect(listing).to.match(/10\.77\.0\.2 comment "b"/);
        await rules.remove({ ip: pod.ipv4, uid: 'b' });
        expect(probe()).to.deep.equal(['inbound', 'inbound']);
        await rules.uninstall();
      });

      it('leaves IPv6 alone where that is off', async () => {
        const rules = makeHostRules(name, {
          namespace: sockets.namespace(node),
          ipv6: false,
          probeAddress: standardProbeAddress,
        });
        await rules.replace(members());
        await rules.add({ ip: pod.ipv6, uid: 'a' });
        expect(probe()).to.deep.equal(['application', 'inbound']);
        await rules.uninstall();
      });

      it('refuses what is no address', async () => {
        expect(await failure(host().add({ ip: '1.1.1.1 }; flush ruleset', uid: 'a' }))).to.include({
          code: 'ERR_RULES_STEP',
        });
      });

      it('leaves nothing, and is removed again without complaint', async () => {
        const rules = host();
        await rules.replace(members());
        await rules.replace(members());
        await rules.uninstall();
        await rules.uninstall();
        if (name !== 'nft') expect(await node.must(['ipset', 'list', '-name'])).to.equal('');
        const saved = await node.must(name === 'nft' ? ['nft', 'list', 'ruleset'] : [`${name}-save`]);
        expect(saved).to.not.match(/istio/i);
      });
    });
  });

describe('what a node can do', () => {
  it('is found by trying it, and prefers what others use', async () => {
    const lab = NetnsLab.create();
    const sockets = new PodSockets();
    try {
      const node = await lab.namespace('node');
      const used = backends.at(-1)!;
      if (used !== 'nft') {
        await node.must([used, '-A', 'FORWARD', '-j', 'ACCEPT']);
        await node.must([used, '-A', 'FORWARD', '-j', 'DROP']);
      }
      const findings = await probeNode(sockets.namespace(node), true);
      expect(findings.backends.map(({ name }) => name)).to.deep.equal([
        'nft',
        'iptables-nft',
        'iptables-legacy',
        'iptables',
      ]);
      expect(findings.backends.find(({ name }) => name === used)).to.include({
        failure: undefined,
        rulesOfOthers: used === 'nft' ? 0 : 2,
      });
      expect(chooseBackend(findings, { nativeNftables: false, ipv6: true })).to.equal(used);
      expect(chooseBackend(findings, { nativeNftables: true, ipv6: true })).to.equal('nft');
      if (used === 'nft') return;
      await node.must(['ipset', 'create', 'istio-inpod-probes-v4', 'hash:ip']);
      const inUse = await probeNode(sockets.namespace(node), true);
      expect(chooseBackend(inUse, { nativeNftables: true, ipv6: true })).to.equal(used);
    } finally {
      sockets.close();
      await lab.destroy();
    }
  });
});

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
