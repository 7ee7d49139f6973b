import { expect } from 'chai';
import { MemoryCluster } from '../cluster/memory-cluster.test-data.ts';
import type {
  AuthorizationPolicy,
  Condition,
  KubeObject,
  Service,
  ServiceEntry,
  WorkloadEntry,
} from '@ambient/kube';
import { readMeshSettings } from '../translate/mesh-settings.ts';
import { meshDefaults } from '../translate/mesh-settings.test-data.ts';
import type { WaypointBinding } from '../translate/waypoint.ts';
import {
  waypointAcceptedCondition,
  waypointPolicyStatus,
  ztunnelPolicyStatus,
} from './authorization-policy.ts';
import type { StatusApply } from './condition.ts';
import { serviceEntryStatus, serviceStatus, workloadEntryStatus } from './waypoint-bound.ts';

const NOW = '2026-05-01T00:00:00Z';
const EARLIER = '2026-04-01T00:00:00Z';
const mesh = readMeshSettings(meshDefaults, undefined, undefined).settings;
const gateway = { namespace: 'app', name: 'w' };
const bound: WaypointBinding = {
  state: 'bound',
  reason: 'WaypointAccepted',
  message: 'attached',
  gateway,
  address: {},
  ingress: false,
};
const refused: WaypointBinding = {
  state: 'refused',
  reason: 'AttachmentDenied',
  message: 'denied',
  gateway,
  inherited: false,
};

function object<T extends KubeObject>(
  kind: string,
  fields: Partial<KubeObject> = {},
  metadata: object = {},
): T {
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', namespace: 'app', uid: 'x', generation: 4, ...metadata },
    ...fields,
  } as T;
}

function conditionsOf(apply: StatusApply | undefined): readonly Condition[] {
  return apply?.body.status['conditions'] as readonly Condition[];
}

describe('WaypointBound of a Service', () => {
  const standing: Condition = {
    type: 'istio.io/WaypointBound',
    status: 'True',
    reason: 'WaypointAccepted',
    message: 'attached',
    lastTransitionTime: EARLIER,
    observedGeneration: 4,
  };
  const withConditions = (...conditions: Condition[]) =>
    object<Service>('Service', { status: { conditions } });

  it('is applied under the name that Istio uses', () => {
    expect(serviceStatus(object('Service'), bound, NOW)).to.deep.equal({
      fieldManager: 'istio-ambient-service',
      body: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'x', namespace: 'app' },
        status: { conditions: [{ ...standing, lastTransitionTime: NOW }] },
      },
    });
  });

  it('is not applied again when it stands', () => {
    expect(serviceStatus(withConditions(standing), bound, NOW)).to.equal(undefined);
  });

  it('keeps its time when only the message or the generation changes', () => {
    const before = [
      { ...standing, message: 'old' },
      { ...standing, observedGeneration: 3 },
    ];
    for (const condition of before)
      expect(conditionsOf(serviceStatus(withConditions(condition), bound, NOW))).to.deep.equal([standing]);
  });

  it('gets a new time when its status changes', () => {
    expect(conditionsOf(serviceStatus(withConditions(standing), refused, NOW))).to.deep.equal([
      {
        ...standing,
        status: 'False',
        reason: 'AttachmentDenied',
        message: 'denied',
        lastTransitionTime: NOW,
      },
    ]);
  });

  it('goes when nobody wishes for a waypoint any more', () => {
    expect(conditionsOf(serviceStatus(withConditions(standing), { state: 'none' }, NOW))).to.deep.equal([]);
    expect(serviceStatus(object('Service'), { state: 'none' }, NOW)).to.equal(undefined);
  });

  it('leaves the conditions of others alone', () => {
    const other: Condition = { type: 'LoadBalancerReady', status: 'True', reason: 'X' };
    expect(serviceStatus(withConditions(other), { state: 'none' }, NOW)).to.equal(undefined);
    expect(conditionsOf(serviceStatus(withConditions(other), bound, NOW))).to.have.length(1);
  });

  it('is written over whatever stands in the status', () => {
    for (const status of ['x', null, { conditions: 'x' }, { conditions: [null, 7, {}] }])
      expect(conditionsOf(serviceStatus(object('Service', { status }), bound, NOW))).to.have.length(1);
  });
});

describe('status of entries', () => {
  it('a WorkloadEntry does not complain of its namespace', () => {
    const entry = object<WorkloadEntry>('WorkloadEntry');
    const silent: WaypointBinding = { ...refused, reason: 'UnsupportedTrafficType', inherited: true };
    expect(workloadEntryStatus(entry, silent, NOW)).to.equal(undefined);
    const own = workloadEntryStatus(entry, { ...silent, inherited: false }, NOW);
    expect(own?.fieldManager).to.equal('istio-ambient-workloadentry');
    expect(conditionsOf(own)[0]).to.include({ status: 'False', reason: 'UnsupportedTrafficType' });
  });

  it('a ServiceEntry tells a missing waypoint and its visibility', () => {
    const findings = { waypoint: refused, waypointMissing: true, visibility: 'NAMESPACE' } as const;
    const conditions = conditionsOf(serviceEntryStatus(object<ServiceEntry>('ServiceEntry'), findings, NOW));
    expect(conditions.map(({ type, status }) => [type, status])).to.deep.equal([
      ['istio.io/WaypointBound', 'False'],
      ['istio.io/WaypointMissing', 'True'],
      ['istio.io/VisibilityApplied', 'True'],
    ]);
  });

  it('a ServiceEntry that lacks nothing has no conditions', () => {
    const findings = { waypoint: { state: 'none' }, waypointMissing: false, visibility: undefined } as const;
    expect(serviceEntryStatus(object<ServiceEntry>('ServiceEntry'), findings, NOW)).to.equal(undefined);
  });
});

describe('conditions of an AuthorizationPolicy', () => {
  const policy = (targetRefs: object[], namespace = 'app') =>
    object<AuthorizationPolicy>(
      'AuthorizationPolicy',
      { apiVersion: 'security.istio.io/v1', spec: { targetRefs } },
      { namespace },
    );
  const labels = { 'istio.io/use-waypoint': 'w' };
  const cluster = new MemoryCluster([
    object(
      'Gateway',
      {
        status: { addresses: [{ type: 'IPAddress', value: '10.0.0.9' }] },
        spec: { listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }] },
      },
      { name: 'w' },
    ),
    object('Gateway', {}, { name: 'waiting' }),
    object('Service', {}, { name: 'behind', labels }),
    object('Service', {}, { name: 'alone' }),
    object('ServiceEntry', { spec: { hosts: ['a.b'] } }, { name: 'entry', labels }),
    object(
      'GatewayClass',
      { spec: { controllerName: 'istio.io/mesh-controller' } },
      { name: 'istio-waypoint', namespace: undefined },
    ),
    object('GatewayClass', { spec: { controllerName: 'other' } }, { name: 'other', namespace: undefined }),
  ]);
  const judge = (targetRefs: object[], namespace?: string) =>
    waypointAcceptedCondition(policy(targetRefs, namespace), [], cluster, mesh);

  const cases: [string, object[], string | undefined, string, string, RegExp][] = [
    ['a waypoint', [{ kind: 'Gateway', name: 'w' }], undefined, 'True', 'Accepted', /bound to app\/w/],
    [
      'a Gateway that is not there',
      [{ kind: 'Gateway', name: 'no' }],
      undefined,
      'False',
      'TargetNotFound',
      /app\/no does not exist/,
    ],
    [
      'a Gateway without an address',
      [{ kind: 'Gateway', name: 'waiting' }],
      undefined,
      'False',
      'TargetNotFound',
      /no address/,
    ],
    [
      'a Service behind a waypoint',
      [{ kind: 'Service', name: 'behind' }],
      undefined,
      'True',
      'Accepted',
      /bound to app\/w/,
    ],
    [
      'a ServiceEntry behind a waypoint',
      [{ kind: 'ServiceEntry', name: 'entry' }],
      undefined,
      'True',
      'Accepted',
      /bound to app\/w/,
    ],
    [
      'a Service without a waypoint',
      [{ kind: 'Service', name: 'alone' }],
      undefined,
      'False',
      'AncestorNotBound',
      /app\/alone is not bound/,
    ],
    [
      'a Service that is not there',
      [{ kind: 'Service', name: 'no' }],
      undefined,
      'False',
      'TargetNotFound',
      /was not found/,
    ],
    [
      'the class of waypoints',
      [{ kind: 'GatewayClass', name: 'istio-waypoint' }],
      'istio-system',
      'True',
      'Accepted',
      /istio-waypoint/,
    ],
    [
      'the class from elsewhere',
      [{ kind: 'GatewayClass', name: 'istio-waypoint' }],
      'app',
      'False',
      'Invalid',
      /root namespace/,
    ],
    [
      'another class',
      [{ kind: 'GatewayClass', name: 'other' }],
      'istio-system',
      'False',
      'Invalid',
      /controllerName/,
    ],
    [
      'a class that is not there',
      [{ kind: 'GatewayClass', name: 'no' }],
      'istio-system',
      'False',
      'TargetNotFound',
      /was not found/,
    ],
    ['another kind', [{ kind: 'Pod', name: 'p' }], undefined, 'False', 'Invalid', /"Pod"/],
    [
      'one of two',
      [
        { kind: 'Service', name: 'behind' },
        { kind: 'Service', name: 'no' },
      ],
      undefined,
      'True',
      'PartiallyInvalid',
      /bound to app\/w; .*was not found/,
    ],
    [
      'none of two, each for its own reason',
      [
        { kind: 'Service', name: 'alone' },
        { kind: 'Service', name: 'no' },
      ],
      undefined,
      'False',
      'Invalid',
      /not bound.*not found/,
    ],
  ];
  for (const [name, refs, namespace, status, reason, message] of cases)
    it(`WaypointAccepted for ${name}`, () => {
      const condition = judge(refs, namespace);
      expect(condition).to.include({ type: 'WaypointAccepted', status, reason });
      expect(condition?.message).to.match(message);
    });

  it('WaypointAccepted names the fields of a policy that has errors', () => {
    const error = { path: 'spec.rules[0]', message: 'must be an object', severity: 'error' } as const;
    const apply = waypointPolicyStatus(policy([{ kind: 'Gateway', name: 'w' }]), [error], cluster, mesh, NOW);
    expect(apply?.fieldManager).to.equal('istio-ambient-waypoint-policy');
    expect(conditionsOf(apply)[0]).to.include({
      status: 'False',
      reason: 'Invalid',
      message: 'spec.rules[0]: must be an object',
    });
  });

  it('ZtunnelAccepted says what ztunnel makes of a policy, and nothing of one for waypoints', () => {
    const acceptance = { accepted: true, reason: 'UnsupportedValue', message: 'HTTP' } as const;
    const apply = ztunnelPolicyStatus(policy([]), acceptance, NOW);
    expect(apply?.fieldManager).to.equal('istio-ambient-ztunnel-policy');
    expect(conditionsOf(apply)).to.deep.equal([
      {
        type: 'ZtunnelAccepted',
        status: 'True',
        reason: 'UnsupportedValue',
        message: 'HTTP',
        lastTransitionTime: NOW,
        observedGeneration: 4,
      },
    ]);
    expect(ztunnelPolicyStatus(policy([{ kind: 'Gateway', name: 'w' }]), undefined, NOW)).to.equal(undefined);
  });
});
