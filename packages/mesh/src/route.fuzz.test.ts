import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { authorize } from './authorize.ts';
import { chooseRoute } from './choose-route.ts';
import { workloadWith } from './defaults.ts';
import { describeRoute } from './describe-route.ts';
import { guessInboundService, parseAuthority, resolveInbound } from './inbound.ts';
import { canonicalIp, isLoopback } from './ip.ts';
import { someHostname, someIp, someNetwork, somePort, someUpdates } from './mesh-arbitraries.test-data.ts';
import { inboundRefusals, routeRefusals } from './refusals.ts';
import { nextHop, withResolvedAddress } from './route.ts';
import type { RouteStep } from './route.ts';
import { MeshStore } from './store.ts';
import type { Service, Workload } from './types.ts';

const random = fc.nat(0xffff_ffff).map((bits) => bits / 2 ** 32);

function storeOf(updates: Parameters<MeshStore['apply']>[0]): MeshStore {
  const store = new MeshStore();
  store.apply(updates);
  return store;
}

const guarded = (service: Service): boolean =>
  service.waypoint !== undefined || service.weightedWaypoints.some(({ weight }) => weight > 0);

describe('chooseRoute under fuzz', () => {
  it('dials something real or refuses by name, and goes around no waypoint, in any mesh [fuzz]', () => {
    const call = fc.record({
      ip: fc.oneof(someIp, fc.constantFrom('127.0.0.1', '::1', '8.8.8.8')),
      port: somePort,
      own: someNetwork,
      namespace: fc.constantFrom('ns', 'other'),
      serviceAccount: fc.constantFrom('default', 'wp'),
      sourceIp: someIp,
    });
    fc.assert(
      fc.property(someUpdates, call, random, (updates, made, drawn) => {
        const store = storeOf(updates);
        const source = workloadWith({
          uid: 'source',
          namespace: made.namespace,
          network: made.own,
          serviceAccount: made.serviceAccount,
        });
        const steps: RouteStep[] = [];
        const route = chooseRoute(store, {
          source,
          sourceIp: made.sourceIp,
          destination: { ip: made.ip, port: made.port },
          network: made.own,
          selfPorts: [15008],
          random: () => drawn,
          trace: (step) => steps.push(step),
        });
        expect(describeRoute(route, steps).join('\n')).to.not.match(/undefined|\[object/);
        if (isLoopback(made.ip) && made.port === 15008) {
          expect(route).to.include({ kind: 'refused', reason: 'self-call' });
          return;
        }
        if (route.kind === 'refused') {
          expect(routeRefusals).to.have.property(route.reason);
          return;
        }
        const found = store.findAddress(made.own, made.ip, made.namespace);
        if (route.kind === 'passthrough') {
          // Only what the mesh does not know, or what says so itself, is let through as it is.
          expect(route.destination).to.deep.equal({ ip: made.ip, port: made.port });
          if (found?.kind === 'workload') expect(route.service?.loadBalancing?.mode).to.equal('PASSTHROUGH');
          if (found?.kind === 'service') {
            expect(guarded(found.service.service)).to.equal(false);
            expect(found.service.service.loadBalancing?.mode).to.equal('PASSTHROUGH');
          }
          return;
        }
        expect(route.dial.port).to.be.within(1, 65_535);
        expect(route.dial.ip === '').to.equal(route.hostnameToResolve !== undefined);
        // Nothing but a gateway is dialled on another network.
        if (route.kind !== 'double-hbone') expect(nextHop(route)!.network).to.equal(made.own);
        if (route.hostnameToResolve === undefined) expect(canonicalIp(route.dial.ip)).to.equal(route.dial.ip);
        else expect(withResolvedAddress(route, '10.9.9.9').dial.ip).to.equal('10.9.9.9');
        if (route.kind !== 'direct') {
          expect(route.expectedIdentities[0]).to.match(/^spiffe:\/\//);
          expect(parseAuthority(route.authority) ?? route.hostnameToResolve).to.not.equal(undefined);
        }
        if (route.kind === 'double-hbone') {
          expect(route.inner.expectedIdentities).to.not.have.lengthOf(0);
          expect(route.upstream.network).to.not.equal(made.own);
        } else if (found?.kind === 'service' && guarded(found.service.service)) {
          expect(route).to.include({ kind: 'hbone', via: 'service-waypoint' });
        }
      }),
      fuzzBudget(),
    );
  });
});

describe('inbound requests under fuzz', () => {
  it('are delivered to the pod itself, or refused by name [fuzz]', () => {
    const request = fc.record({
      authority: fc.oneof(
        fc
          .tuple(someIp, somePort)
          .map(([ip, port]) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
        fc.tuple(someHostname, somePort).map(([host, port]) => `${host}:${port}`),
        fc.string(),
      ),
      ip: someIp,
      network: someNetwork,
      forwardedHost: fc.option(someHostname, { nil: undefined }),
    });
    fc.assert(
      fc.property(
        someUpdates,
        request,
        fc.nat(20),
        (updates, { authority, ip, network, forwardedHost }, pick) => {
          const store = storeOf(updates);
          const workloads: Workload[] = [...store.allWorkloads()];
          const workload = workloads[pick % Math.max(1, workloads.length)] ?? workloadWith({ uid: 'w' });
          const found = resolveInbound(store, {
            localWorkload: workload,
            network,
            connectionDestinationIp: ip,
            authority,
            selfPorts: [15008, 15006],
          });
          if (found.kind === 'refused') {
            expect(inboundRefusals).to.have.property(found.reason);
            expect([400, 503]).to.include(found.code);
            return;
          }
          // Whatever a client names, the connection goes to the address that it came in on.
          expect(found.destination.ip).to.equal(ip);
          expect(found.destination.port).to.be.within(1, 65_535);
          const override = workload.applicationTunnel?.port ?? 0;
          if (override === 0) expect([15008, 15006]).to.not.include(found.destination.port);
          else expect(found.destination.port).to.equal(override);
          if (found.authority.kind === 'hostname') expect(found.services).to.have.lengthOf(1);
          expect(found.proxyProtocolDestination !== undefined).to.equal(
            workload.applicationTunnel?.protocol === 'PROXY',
          );
          guessInboundService(found.services, workload, found.destination.port, forwardedHost);
          const question = {
            principal: undefined,
            sourceIp: '10.0.0.1',
            destinationIp: ip,
            destinationPort: found.destination.port,
          };
          expect(authorize(store, workload, question).allowed).to.equal(true);
        },
      ),
      fuzzBudget(),
    );
  });
});
