import { expect } from 'chai';
import { SettingsError, settingsFrom, ValueError } from '@ambient/runtime';

import { parseListenAddress } from './schema.ts';
import { loadControlPlaneSettings } from './settings.ts';

describe('settings of the control plane', () => {
  it('have istiod’s ports and names by default, and no plaintext', () => {
    const { cluster, listeners, certificates } = loadControlPlaneSettings(settingsFrom({}));
    expect(cluster).to.include({
      namespace: 'istio-system',
      clusterId: 'Kubernetes',
      domain: 'cluster.local',
      revision: 'default',
      kubeconfig: undefined,
    });
    expect(listeners.secureGrpc).to.deep.equal({ host: undefined, port: 15_012 });
    expect(listeners.webhook).to.deep.equal({ host: undefined, port: 15_017 });
    expect(listeners.monitoring).to.deep.equal({ host: undefined, port: 15_014 });
    expect(listeners.readiness).to.deep.equal({ host: undefined, port: 8080 });
    expect(listeners.plaintextXds).to.equal(undefined);
    expect(certificates.trustedNodeAccounts).to.deep.equal([]);
  });

  it('give replicas on one host names of their own, since two of one name would both lead', () => {
    const { podName } = loadControlPlaneSettings(settingsFrom({})).cluster;
    expect(podName).to.match(new RegExp(`-${process.pid}$`));
    expect(loadControlPlaneSettings(settingsFrom({ POD_NAME: 'istiod-1' })).cluster.podName).to.equal(
      'istiod-1',
    );
  });

  it('read addresses of either family, a bare port, and lists', () => {
    const settings = loadControlPlaneSettings(
      settingsFrom({
        PLAINTEXT_XDS_ADDRESS: '127.0.0.1:15010',
        SECURE_GRPC_ADDRESS: '[::1]:0',
        HTTP_ADDRESS: ':9090',
        CA_TRUSTED_NODE_ACCOUNTS: ' istio-system/ztunnel, other/agent,',
        DEFAULT_WORKLOAD_CERT_TTL: '1h30m',
      }),
    );
    expect(settings.listeners.plaintextXds).to.deep.equal({ host: '127.0.0.1', port: 15_010 });
    expect(settings.listeners.secureGrpc).to.deep.equal({ host: '::1', port: 0 });
    expect(settings.listeners.readiness).to.deep.equal({ host: undefined, port: 9090 });
    expect(settings.certificates.trustedNodeAccounts).to.deep.equal(['istio-system/ztunnel', 'other/agent']);
    expect(settings.certificates.defaultTtlMs).to.equal(5_400_000);
  });

  it('name every bad value at once', () => {
    const bad = { HTTP_ADDRESS: '8080', PILOT_DEBOUNCE_AFTER: 'soon', CA_ROOT_KEY_TYPE: 'dsa' };
    const load = (): unknown => loadControlPlaneSettings(settingsFrom(bad));
    expect(load).to.throw(SettingsError, /HTTP_ADDRESS[^]*PILOT_DEBOUNCE_AFTER[^]*CA_ROOT_KEY_TYPE/);
  });

  it('refuse an account of node agents that names no namespace', () => {
    const load = (): unknown =>
      loadControlPlaneSettings(settingsFrom({ CA_TRUSTED_NODE_ACCOUNTS: 'ztunnel' }));
    expect(load).to.throw(SettingsError, /CA_TRUSTED_NODE_ACCOUNTS[^]*NAMESPACE/);
  });

  for (const raw of ['', '8080', 'host', 'host:', ':x', ':65536', ':-1', 'host:80:'])
    it(`take ${JSON.stringify(raw)} for no address`, () => {
      expect(() => parseListenAddress(raw)).to.throw(ValueError);
    });
});
