import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { EndpointSlice } from '@ambient/kube';

import { noRules, serviceRules } from './node-rules.ts';
import { renderChange, renderTable } from './nft-table.ts';
import { goldenService, goldenSlices, goldenSpecs } from './golden.test-data.ts';
import { proxiedPorts } from './service-ports.ts';
import type { ProxiedPort } from './service-ports.ts';
import { staleFlows } from './stale-flows.ts';
import { ElementClaims } from './element-claims.ts';

const golden = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'golden', `${name}.nft`), 'utf8');

const ports = (spec: object = {}, slices: readonly EndpointSlice[] = goldenSlices): ProxiedPort[] =>
  proxiedPorts({ service: { ...goldenService, spec: { ...goldenService.spec, ...spec } }, slices });

describe('the table of Services', () => {
  it('is as it is on file without Services', () => {
    expect(renderTable(['10.244.0.0/16', 'fd44::/48'])).to.equal(golden('table'));
  });

  for (const [name, spec] of Object.entries(goldenSpecs))
    it(`is as it is on file with a Service: ${name}`, () => {
      const rules = serviceRules('shop/catalog', ports(spec), 'node-1');
      expect(renderChange(noRules, rules)).to.equal(golden(name));
    });

  it('is not touched by a change that changes nothing, and is empty again at the end', () => {
    const rules = serviceRules('shop/catalog', ports(), 'node-1');
    expect(renderChange(rules, serviceRules('shop/catalog', ports(), 'node-1'))).to.equal('');
    const end = renderChange(rules, noRules).trimEnd().split('\n');
    expect(end.filter((line) => line.startsWith('delete chain'))).to.have.length(rules.chains.size);
    expect(end.filter((line) => line.startsWith('delete element'))).to.have.length(rules.elements.size);
    expect(end.some((line) => line.startsWith('add'))).to.equal(false);
  });

  it('has only what an endpoint needs changed when one comes', () => {
    const one = goldenSlices.map((slice) => ({ ...slice, endpoints: slice.endpoints!.slice(0, 1) }));
    const before = serviceRules('shop/catalog', ports({}, one), 'node-1');
    const change = renderChange(before, serviceRules('shop/catalog', ports(), 'node-1'));
    // The new endpoint and the choice, once for each family; no element of a map.
    expect(change.match(/^add chain/gm)).to.have.length(4);
    expect(change).not.to.match(/element/);
  });

  it('cannot be given other commands by a name', () => {
    const rules = serviceRules('shop/x { } \n flush ruleset', ports(), 'node-1');
    expect(renderChange(noRules, rules)).not.to.match(/^\s*flush ruleset/m);
    for (const name of rules.chains.keys()) expect(name).to.match(/^[a-z][\w./-]{0,127}$/);
  });
});

describe('what a Service asks of the proxy', () => {
  it('is nothing when it is headless or an external name', () => {
    expect(ports({ clusterIP: 'None', clusterIPs: ['None'] })).to.eql([]);
    expect(ports({ type: 'ExternalName' })).to.eql([]);
    expect(proxiedPorts({ service: undefined, slices: goldenSlices })).to.eql([]);
  });

  it('leaves out by itself what is malformed', () => {
    const bad = {
      clusterIPs: ['10.96.0.20; flush ruleset', '10.96.0.20'],
      externalIPs: ['1.2.3.4 }'],
      ports: [
        { name: 'http', port: 70_000 },
        { name: 'http', port: 80, protocol: 'tcp } goto' },
        { name: 'http', port: 80 },
      ],
    };
    const found = ports(bad, [
      ...goldenSlices,
      {
        ...goldenSlices[0]!,
        endpoints: [{ addresses: ['10.244.9.9/0'] }, {}, { addresses: ['fd44::9'] }],
      },
    ]);
    expect(found).to.have.length(1);
    expect(found[0]).to.deep.include({ clusterIp: '10.96.0.20', port: 80, externalIps: [] });
    expect(found[0]!.targets.map(({ address }) => address)).to.eql(['10.244.1.2', '10.244.2.2']);
  });

  it('goes to what still serves only when nothing is ready', () => {
    const ending = { ready: false, serving: true, terminating: true };
    const slice = goldenSlices[0]!;
    const [a, b] = slice.endpoints!;
    const addresses = (endpoints: EndpointSlice['endpoints']) =>
      ports({}, [{ ...slice, endpoints: endpoints! }])[0]!.targets.map(({ address }) => address);
    expect(addresses([{ ...a, conditions: ending }, b!])).to.eql(['10.244.2.2']);
    expect(addresses([{ ...a, conditions: ending }])).to.eql(['10.244.1.2']);
    expect(addresses([{ ...a, conditions: { ready: false } }])).to.eql([]);
    expect(addresses([{ ...a, conditions: { ready: null } }])).to.eql(['10.244.1.2']);
  });

  it('has flows of UDP forgotten to endpoints that are gone, and no others', () => {
    const udp = ports().map((port): ProxiedPort => ({ ...port, protocol: 'udp' }));
    const fewer = udp.map((port) => ({ ...port, targets: port.targets.slice(1) }));
    expect(staleFlows(udp, udp)).to.eql([]);
    expect(staleFlows(ports(), [])).to.eql([]);
    expect(staleFlows(udp, fewer).map((args) => args.join(' '))).to.eql([
      '-D -f ipv4 -p udp --orig-dst 10.96.0.20 --reply-src 10.244.1.2',
      '-D -f ipv6 -p udp --orig-dst fd96::20 --reply-src fd44:0:0:1::2',
    ]);
  });

  it('is what it was first to ask for; who waits is told when it is let go', () => {
    const claims = new ElementClaims();
    const rules = (service: string) => serviceRules(service, ports(), 'node-1');
    const first = claims.claim('shop/a', noRules, rules('shop/a'));
    expect(first).to.deep.include({ refused: [], freed: [] });
    const second = claims.claim('shop/b', noRules, rules('shop/b'));
    expect(second.rules.elements.size).to.equal(0);
    expect(second.refused[0]).to.include('of shop/a');
    expect(claims.claim('shop/a', first.rules, noRules).freed).to.eql(['shop/b']);
    expect(claims.claim('shop/b', second.rules, rules('shop/b')).refused).to.eql([]);
  });
});
