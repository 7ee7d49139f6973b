import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { settingsFrom, SettingsError } from '@ambient/runtime';
import { pagePath } from '@ambient/runtime/docs';
import { metricsPage } from '../print-metrics.ts';
import { settingsPage } from './print-docs.ts';
import { loadAgentSettings } from './settings.ts';

const required = { NODE_NAME: 'n', KUBERNETES_SERVICE_HOST: '10.96.0.1' };

describe('settings of the node agent', () => {
  it("are those of Istio's agent where nothing is set", () => {
    const { ambient, paths } = loadAgentSettings(settingsFrom(required));
    expect(ambient).to.include({ enabled: false, dnsCapture: false, ipv6: false, reconcileRules: false });
    expect(ambient.selectors).to.deep.equal([]);
    expect(paths).to.include({
      proc: '/host/proc',
      configDirectory: '/host/etc/cni/net.d',
      binaryDirectory: '/host/opt/cni/bin',
      mountedRunDirectory: '/var/run/istio-cni',
    });
  });

  it('put all of a node under one directory', () => {
    const { paths } = loadAgentSettings(
      settingsFrom({ ...required, HOST_ROOT: '/lab/n1', CNI_AGENT_RUN_DIR: '/lab/run' }),
    );
    expect(paths).to.include({ proc: '/lab/n1/proc', mountedRunDirectory: '/lab/run' });
  });

  it('read the selectors as the chart writes them, in YAML', () => {
    const { ambient } = loadAgentSettings(
      settingsFrom({ ...required, AMBIENT_ENABLEMENT_SELECTOR: '- podSelector:\n    matchLabels: {a: b}\n' }),
    );
    expect(ambient.selectors[0]?.podSelector?.matchLabels).to.deep.equal({ a: 'b' });
  });

  it('name all that is wrong at once', () => {
    const load = (): unknown =>
      loadAgentSettings(
        settingsFrom({
          AMBIENT_ENABLEMENT_SELECTOR: '- podSelector: {matchLabels: {a: 1}}',
          HOST_PROBE_SNAT_IP: 'nowhere',
          CHAINED_CNI_PLUGIN: 'false',
        }),
      );
    expect(load).to.throw(SettingsError, /AMBIENT_ENABLEMENT_SELECTOR.*matchLabels\.a must be text/s);
    for (const name of ['HOST_PROBE_SNAT_IP', 'NODE_NAME', 'KUBERNETES_SERVICE_HOST', 'CHAINED_CNI_PLUGIN'])
      expect(load).to.throw(SettingsError, name);
  });
});

for (const page of [settingsPage, metricsPage])
  describe(`docs/${page.name}`, () => {
    it('is what the source says', () => {
      expect(readFileSync(pagePath(page), 'utf8'), `run \`npm run ${page.script}\``).equal(page.render());
    });
  });
