import { damagedBytes, damagedText, fuzzBudget } from '@ambient/testkit';
import { istio } from '@ambient/wire';
import { expect } from 'chai';
import fc from 'fast-check';
import { isValidConfig, renderPluginEntry, withoutPlugin, withPlugin } from './conflist/conflist.ts';
import { ConflistError } from './conflist/errors.ts';
import { decideEnrolment, standardSelectors } from './eligibility.ts';
import { addRequest } from './plugin/agent-request.ts';
import { BlockYamlError, parseBlockYaml } from './plugin/block-yaml.ts';
import { parseConfig } from './plugin/config.ts';
import { CniError } from './plugin/errors.ts';
import { KubeconfigError, parseKubeconfig, renderKubeconfig } from './plugin/kubeconfig.ts';
import { readOwnLines, renderRestore } from './rules/iptables-plan.ts';
import { iptablesPodTables } from './rules/iptables-text.ts';
import { renderNftPodRules } from './rules/nft-text.ts';
import { captureAnnotations, podCapture, standardProbeAddress } from './rules/pod-capture.ts';
import { ZdsError } from './zds/errors.ts';
import { decodeHello, decodeReply } from './zds/messages.ts';

type Refusal = abstract new (...args: never[]) => Error;

/** Runs `action`; all that it may throw is a refusal by name. */
function refusingOnlyBy(refusal: Refusal, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof refusal)) throw error;
  }
}

const entry = renderPluginEntry({
  logLevel: 'info',
  agentRunDirectory: '/var/run/istio-cni',
  ambientEnabled: true,
  selectors: standardSelectors,
  excludedNamespaces: ['kube-system'],
  agentNamespace: 'istio-system',
  nativeNftables: false,
  retryDetection: true,
});
const prevResult = { ips: [{ address: '10.0.0.2/24', gateway: '10.0.0.1', interface: 1 }] };
const pluginInput = JSON.stringify({ cniVersion: '1.0.0', name: 'n', ...entry, prevResult });
const conflist = JSON.stringify({ cniVersion: '1.0.0', name: 'n', plugins: [{ type: 'bridge' }, entry] });
const words = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  'null',
  '{}',
  '[]',
  '0',
  'true',
  '"ips"',
  '"plugins"',
  '__proto__',
];

describe('input of the node agent and its plugin', () => {
  it('from a container runtime: taken whole or refused by name [fuzz]', () => {
    fc.assert(
      fc.property(damagedText(fc.constant(pluginInput), words), (text) => {
        refusingOnlyBy(CniError, () => {
          const config = parseConfig(text);
          addRequest('/n', { name: 'a', namespace: 'b' }, config.prevResult ?? {});
          const facts = {
            namespaceLabels: { a: 'b' },
            podLabels: {},
            podAnnotations: {},
            hostNetwork: false,
          };
          decideEnrolment({ namespace: 'b', ...facts }, config);
        });
      }),
      fuzzBudget(),
    );
  });

  it('kubeconfig: read or refused by name [fuzz]', () => {
    const json = renderKubeconfig('https://10.0.0.1:443', 'PEM', 'token');
    const yaml =
      'clusters:\n- cluster:\n    server: https://h\n  name: a\ncontexts:\n- context:\n    cluster: a\n    user: b\n' +
      '  name: \'c\'\ncurrent-context: c\nusers:\n- name: "b"\n  user:\n    token: t\n';
    const text = damagedText(fc.constantFrom(json, yaml), [
      ...words,
      '- ',
      '\n',
      '  ',
      "'",
      ': ',
      '- - ',
      '|',
    ]);
    fc.assert(
      fc.property(text, (damaged) => {
        refusingOnlyBy(KubeconfigError, () => parseKubeconfig(damaged, () => 'content'));
        refusingOnlyBy(BlockYamlError, () => parseBlockYaml(damaged));
      }),
      fuzzBudget(),
    );
  });

  it('conflist: our entry is put in and taken out, or the file refused by name [fuzz]', () => {
    fc.assert(
      fc.property(damagedText(fc.constant(conflist), words), (text) => {
        const file = { name: '10-n.conflist', text };
        refusingOnlyBy(ConflistError, () => {
          const joined = { ...file, text: withPlugin(file, entry) };
          expect(isValidConfig(file) && isValidConfig(joined)).to.equal(true);
          const left = withoutPlugin(joined) as { text: string };
          expect(withoutPlugin({ ...file, text: left.text })).to.equal(undefined);
        });
      }),
      fuzzBudget(),
    );
  });

  it('from ztunnel: understood or refused by name [fuzz]', () => {
    const { WorkloadResponse, ZdsHello } = istio.workload.zds;
    const valid = fc.constantFrom(
      ZdsHello.encode({ version: 1 }).finish(),
      WorkloadResponse.encode({ ack: {} }).finish(),
      WorkloadResponse.encode({ ack: { error: 'no listener' } }).finish(),
    );
    fc.assert(
      fc.property(damagedBytes(valid), (bytes) => {
        refusingOnlyBy(ZdsError, () => decodeHello(bytes));
        refusingOnlyBy(ZdsError, () => decodeReply(bytes));
      }),
      fuzzBudget(),
    );
  });

  it('annotations: whatever a pod says, rules have no more lines and no other words than ours [fuzz]', () => {
    const value = damagedText(fc.constantFrom('vm0,tap-1', 'true'), [
      ',',
      '\n',
      '"',
      ';',
      '}',
      '-j ACCEPT',
      '#',
      '$(',
    ]);
    fc.assert(
      fc.property(value, value, (interfaces, flag) => {
        const { bypassInbound, dns, virtualInterfaces } = captureAnnotations;
        const { capture } = podCapture(
          { [virtualInterfaces]: interfaces, [bypassInbound]: flag, [dns]: flag },
          { ipv6: true, dns: true, probeAddress: standardProbeAddress },
        );
        const plain = { ...capture, virtualInterfaces: [] };
        const extra = capture.virtualInterfaces.length * 2;
        const iptables = (of: typeof capture): string => renderRestore([], iptablesPodTables(of, 'v4'));
        expect(iptables(capture).split('\n').length - iptables(plain).split('\n').length).to.equal(
          // The first rule of a chain brings the chain itself, and the jump to it.
          capture.inbound || extra === 0 ? extra : extra + 2,
        );
        expect(renderNftPodRules(capture)).to.match(/^[\w\s{}"!=&|:;.,-]*$/);
      }),
      fuzzBudget(),
    );
  });

  it('iptables-save: whatever it prints, only our lines are touched [fuzz]', () => {
    const saved =
      '*nat\n:OUTPUT ACCEPT [0:0]\n:ISTIO_OUTPUT - [0:0]\n-A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j OTHER\nCOMMIT\n';
    fc.assert(
      fc.property(
        damagedText(fc.constant(saved), ['\n', '*', ':', '-A ', ' -j ', 'ISTIO_PRERT', 'X']),
        (text) => {
          for (const line of renderRestore(readOwnLines(text), []).split('\n'))
            expect(line).to.match(/^($|\*|COMMIT$|-[FX] ISTIO_(PRERT|OUTPUT|POSTRT)$|-D .* -[jg] ISTIO_)/);
        },
      ),
      fuzzBudget(),
    );
  });
});
