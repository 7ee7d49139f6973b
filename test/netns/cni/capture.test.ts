import { expect } from 'chai';
import type { PodCapture } from '@ambient/cni';
import {
  captureAnnotations,
  makeBackend,
  podCapture,
  PodRuleApplier,
  standardProbeAddress,
} from '@ambient/cni';
import type { Netns } from '@ambient/testkit/lab';
import { NetnsLab } from '@ambient/testkit/lab';
import { backends } from './backends.ts';
import { PodSockets } from './pod-sockets.ts';

const MARK = 0x539;

function capture(annotations: Record<string, string> = {}): PodCapture {
  return podCapture(annotations, { ipv6: true, dns: true, probeAddress: standardProbeAddress }).capture;
}

for (const name of backends)
  describe(`capture of a pod with ${name}`, () => {
    const applier = new PodRuleApplier(makeBackend(name, true), true);
    let lab: NetnsLab;
    let pod: Netns;
    let node: Netns;
    let machine: Netns;
    let sockets: PodSockets;

    before(async () => {
      lab = NetnsLab.create();
      [pod, node, machine] = [
        await lab.namespace('pod'),
        await lab.namespace('node'),
        await lab.namespace('vm'),
      ];
      await lab.network([node, pod]);
      await lab.network([machine, pod], { prefix4: '10.78.0', prefix6: 'fd78::' });
      // Probes come from an address that no route of the pod names.
      await pod.must(['ip', 'route', 'add', 'default', 'via', node.ipv4]);
      await pod.must(['ip', '-6', 'route', 'add', 'default', 'via', node.ipv6]);
      for (const address of [`${standardProbeAddress.v4}/32`, `${standardProbeAddress.v6}/128`])
        await node.must(['ip', 'addr', 'add', address, 'dev', 'lo']);
      sockets = new PodSockets();
      for (const [port, listener] of [
        [15001, 'outbound'],
        [15006, 'inbound'],
        [15008, 'hbone'],
        [15053, 'dns'],
      ] as const)
        sockets.listen(pod, listener, port, MARK);
      sockets.listen(pod, 'application', 8080);
      sockets.listen(node, 'destination', 8080);
      sockets.listen(node, 'resolver', 53);
      sockets.answerDatagrams(pod, 'dns', { ip: '127.0.0.1', port: 15053 }, MARK);
      sockets.answerDatagrams(pod, 'dns', { ip: '::1', port: 15053 }, MARK);
      sockets.answerDatagrams(node, 'resolver', { ip: node.ipv4, port: 53 });
      sockets.answerDatagrams(node, 'resolver', { ip: node.ipv6, port: 53 });
    });

    after(async () => {
      sockets.close();
      await lab.destroy();
    });

    async function recapture(annotations: Record<string, string> = {}): Promise<void> {
      await applier.apply(sockets.namespace(pod), capture(annotations));
    }

    for (const family of ['ipv4', 'ipv6'] as const)
      describe(`over ${family}`, () => {
        const text = (ip: string, port: number): string =>
          family === 'ipv4' ? `${ip}:${port}` : `[${ip}]:${port}`;
        const probe = standardProbeAddress[family === 'ipv4' ? 'v4' : 'v6'];
        const loopback = family === 'ipv4' ? '127.0.0.1' : '::1';

        before(() => recapture());

        it('brings what the application dials to 15001, with the destination that it meant', () => {
          expect(sockets.dial(pod, { ip: node[family], port: 8080 })).to.include({
            at: 'outbound',
            meant: text(node[family], 8080),
          });
        });

        it('brings what reaches the pod in plaintext to 15006', () => {
          expect(sockets.dial(node, { ip: pod[family], port: 8080 })).to.deep.equal({
            at: 'inbound',
            meant: text(pod[family], 8080),
            from: node[family],
          });
        });

        it('lets HBONE, the pod itself, and what ztunnel sends pass', () => {
          expect(sockets.dial(node, { ip: pod[family], port: 15008 }).at).to.equal('hbone');
          expect(sockets.dial(pod, { ip: loopback, port: 8080 }).at).to.equal('application');
          expect(sockets.dial(pod, { ip: pod[family], port: 8080 }).at).to.equal('application');
          expect(sockets.dial(pod, { ip: node[family], port: 8080 }, { mark: MARK }).at).to.equal(
            'destination',
          );
        });

        it("lets the node's probes pass to the application, and answers them", () => {
          expect(
            sockets.dial(node, { ip: pod[family], port: 8080 }, { bind: { ip: probe, port: 0 } }),
          ).to.include({ at: 'application', from: probe });
          expect(sockets.dial(pod, { ip: probe, port: 8080 }).at).to.equal('destination');
        });

        it("keeps the replies to a client's address that ztunnel has taken on inside the pod", () => {
          const arrival = sockets.dial(
            pod,
            { ip: pod[family], port: 8080 },
            { mark: MARK, transparent: true, bind: { ip: node[family], port: 0 } },
          );
          expect(arrival).to.include({ at: 'application', from: node[family] });
        });

        it('brings DNS to 15053, over UDP and TCP, but not that of ztunnel', () => {
          const resolver = { ip: node[family], port: 53 };
          expect(sockets.ask(pod, resolver)).to.equal(`dns as ${text(node[family], 53)}`);
          expect(sockets.ask(pod, resolver, MARK)).to.equal(`resolver as ${text(node[family], 53)}`);
          expect(sockets.dial(pod, resolver)).to.include({ at: 'dns', meant: text(node[family], 53) });
          expect(sockets.dial(pod, resolver, { mark: MARK }).at).to.equal('resolver');
        });

        describe('as annotated', () => {
          after(() => recapture());

          it('leaves plaintext to the application', async () => {
            await recapture({ [captureAnnotations.bypassInbound]: 'true' });
            expect(sockets.dial(node, { ip: pod[family], port: 8080 }).at).to.equal('application');
            expect(sockets.dial(pod, { ip: node[family], port: 8080 }).at).to.equal('outbound');
          });

          it('leaves DNS to the resolver', async () => {
            await recapture({ [captureAnnotations.dns]: 'false' });
            const resolver = { ip: node[family], port: 53 };
            expect(sockets.ask(pod, resolver)).to.equal(`resolver as ${text(node[family], 53)}`);
            expect(sockets.dial(pod, resolver).at).to.equal('outbound');
          });

          it('takes what a virtual machine behind the pod sends for what the pod sends', async () => {
            const inPod = { ip: pod.addresses[family === 'ipv4' ? 2 : 3]!, port: 8080 };
            expect(sockets.dial(machine, inPod).at).to.equal('inbound');
            await recapture({ [captureAnnotations.virtualInterfaces]: 'eth1' });
            expect(sockets.dial(machine, inPod)).to.include({ at: 'outbound', meant: text(inPod.ip, 8080) });
          });
        });
      });

    describe('removed', () => {
      before(async () => {
        await recapture();
        await applier.remove(sockets.namespace(pod));
      });

      it('leaves nothing', async () => {
        const saved =
          name === 'nft'
            ? [['nft', 'list', 'ruleset']]
            : [[`${name}-save`], [`${name.replace('ip', 'ip6')}-save`]];
        for (const argv of saved) expect(await pod.must(argv)).to.not.match(/istio/i);
        for (const family of ['-4', '-6']) {
          expect(await pod.must(['ip', family, 'rule', 'show'])).to.not.contain('32764');
          expect((await pod.run(['ip', family, 'route', 'show', 'table', '100'])).stdout.trim()).to.equal('');
        }
      });

      it('lets everything pass', () => {
        expect(sockets.dial(node, { ip: pod.ipv4, port: 8080 }).at).to.equal('application');
        expect(sockets.dial(pod, { ip: node.ipv6, port: 8080 }).at).to.equal('destination');
      });

      it('is removed again without complaint', () => applier.remove(sockets.namespace(pod)));
    });
  });
