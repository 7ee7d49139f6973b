import { expect } from 'chai';
import { standardSelectors } from '../eligibility.ts';
import {
  configNames,
  entryProblem,
  isValidConfig,
  renderPluginEntry,
  withoutPlugin,
  withPlugin,
} from './conflist.ts';
import { ConflistError } from './errors.ts';

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
const list = (...plugins: object[]): string =>
  JSON.stringify({ cniVersion: '1.0.0', name: 'net', disableCheck: true, plugins });
const bridge = { type: 'bridge', ipam: { type: 'host-local' } };
const portmap = { type: 'portmap', capabilities: { portMappings: true } };
const file = (text: string, name = '10-net.conflist'): { name: string; text: string } => ({ name, text });
const plugins = (text: string): unknown => (JSON.parse(text) as { plugins: unknown }).plugins;

describe('our entry of a conflist', () => {
  it('goes last, and all else stays', () => {
    const text = withPlugin(file(list(bridge, portmap)), entry);
    expect(JSON.parse(text)).to.deep.equal({
      cniVersion: '1.0.0',
      name: 'net',
      disableCheck: true,
      plugins: [bridge, portmap, entry],
    });
  });

  it('takes the place of an older one, wherever that is', () => {
    const old = { type: 'istio-cni', plugin_log_level: 'debug' };
    expect(plugins(withPlugin(file(list(old, bridge, old, portmap)), entry))).to.deep.equal([
      bridge,
      portmap,
      entry,
    ]);
  });

  it('is not changed by being put there again', () => {
    const once = withPlugin(file(list(bridge)), entry);
    expect(withPlugin(file(once), entry)).to.equal(once);
  });

  it('makes a list of a single plugin', () => {
    const single = JSON.stringify({ cniVersion: '0.3.0', name: 'net', ...bridge });
    expect(JSON.parse(withPlugin(file(single, '10-net.conf'), entry))).to.deep.equal({
      name: 'k8s-pod-network',
      cniVersion: '0.3.1',
      plugins: [{ name: 'net', ...bridge }, entry],
    });
  });

  it('has the names and shapes that the plugin reads', () => {
    expect(entry).to.deep.equal({
      type: 'istio-cni',
      name: 'istio-cni',
      plugin_log_level: 'info',
      cni_agent_run_dir: '/var/run/istio-cni',
      ambient_enabled: true,
      enablement_selectors: standardSelectors,
      exclude_namespaces: ['kube-system'],
      pod_namespace: 'istio-system',
      native_nftables: false,
      enable_ambient_detection_retry: true,
      agent_decides: true,
    });
  });

  it('is taken out again, alone', () => {
    const before = withPlugin(file(list(bridge, portmap)), entry);
    const after = withoutPlugin(file(before)) as { text: string };
    expect(JSON.parse(after.text)).to.deep.equal(JSON.parse(list(bridge, portmap)));
    expect(withoutPlugin(file(list(bridge)))).to.equal(undefined);
    expect(withoutPlugin(file(list({ type: 'istio-cni' })))).to.equal('nothing-left');
  });

  const reordered = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(entry).reverse()))) as object;
  const problems: readonly (readonly [string, string, string | undefined])[] = [
    ['all is well', list(bridge, entry), undefined],
    ['keys in another order', list(bridge, reordered), undefined],
    ['no entry', list(bridge), 'missing'],
    ['another behind it', list(bridge, entry, portmap), 'not-last'],
    ['twice', list(entry, bridge, entry), 'not-last'],
    ['other settings', list(bridge, { ...entry, ambient_enabled: false }), 'changed'],
    ['half a file', list(bridge, entry).slice(0, 40), 'not-valid'],
  ];
  for (const [title, text, expected] of problems)
    it(`${title}: ${expected}`, () => {
      expect(entryProblem(file(text), entry)).to.equal(expected);
    });
});

describe('configurations of a node', () => {
  it('are those that a runtime reads, in its order', () => {
    expect(
      configNames(['99-b.conf', '.10-a.conflist.istio-cni-new', '10-a.conflist', 'x.txt', '00.json']),
    ).to.deep.equal(['00.json', '10-a.conflist', '99-b.conf']);
  });

  const bad: readonly (readonly [string, string])[] = [
    ['', 'is no JSON'],
    ['[]', 'is no object'],
    ['{}', 'has no plugins'],
    ['{"plugins":[]}', 'has no plugins'],
    ['{"plugins":[{}]}', 'has no type in plugins[0]'],
    ['{"plugins":[null]}', 'has no type in plugins[0]'],
    ['{"plugins":[{"type":"istio-cni"}]}', 'has no plugin but ours'],
  ];
  for (const [text, message] of bad)
    it(`are refused by name: ${text}`, () => {
      expect(() => withPlugin(file(text), entry)).to.throw(ConflistError, `10-net.conflist ${message}`);
    });

  it('are valid as a list or as a single plugin', () => {
    expect(
      ['{"type":"bridge"}', list(bridge), '{"type":7}', 'x'].map((text) => isValidConfig(file(text))),
    ).to.deep.equal([true, true, false, false]);
  });
});
