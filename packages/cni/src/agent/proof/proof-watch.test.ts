import { expect } from 'chai';
import { NetworkNamespace } from '@ambient/linux';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import { standardProbeAddress } from '../../rules/pod-capture.ts';
import type { CapturedPod } from '../pods/captured-pod.ts';
import type { Finding, ProofOutcome } from './findings.ts';
import { ProofWatch } from './proof-watch.ts';

const silent = new Logger(new LogLevels('off'), { write: () => undefined }, 'test');
const capture = {
  ipv6: true,
  inbound: true,
  dns: true,
  virtualInterfaces: [],
  probeAddress: standardProbeAddress,
};
const INTERVAL_MS = 30_000;

describe('proof of capture, repeated', () => {
  let clock: ManualClock;
  let netns: NetworkNamespace;
  let pods: Map<string, CapturedPod>;
  let watch: ProofWatch;
  let outcome: ProofOutcome;
  let ztunnels: number;
  let told: string[];
  let families: (string | undefined)[];
  /** What a repair does. */
  let onRepair: () => void;

  let random: () => number;

  beforeEach(() => {
    clock = new ManualClock();
    netns = NetworkNamespace.borrow(0);
    pods = new Map();
    outcome = 'answered';
    ztunnels = 1;
    told = [];
    families = [];
    onRepair = () => undefined;
    random = () => 0.5;
    const findings = (): readonly Finding[] => [{ check: 'outbound', family: 'v4', outcome }];
    watch = new ProofWatch({
      pods,
      calls: {
        call: (_pod, only) => {
          families.push(only);
          return Promise.resolve(findings());
        },
        taken: () => {
          told.push('quiet');
          return findings();
        },
      },
      ztunnels: () => ztunnels,
      repair: (_uid, thorough) => {
        told.push(thorough ? 'repair thoroughly' : 'repair');
        return new Promise((resolve) => resolve(onRepair()));
      },
      onState: (_uid, { status, reason }) => told.push(`${status} ${reason}`),
      onFirst: () => told.push('first'),
      onGap: ({ verdict }, how) => told.push(`gap ${how} ${verdict.reason}`),
      onCount: () => undefined,
      intervalMs: INTERVAL_MS,
      clock,
      random: () => random(),
      log: silent,
    });
    watch.start();
  });

  afterEach(() => watch.stop());

  function add(uid = 'u'): CapturedPod {
    const pod: CapturedPod = {
      uid,
      name: 'web',
      namespace: 'shop',
      serviceAccount: 'default',
      netns,
      capture,
      complete: true,
      addresses: ['10.0.0.2'],
      unheardUntilMs: 0,
    };
    pods.set(uid, pod);
    watch.touch(uid);
    return pod;
  }

  /** Lets time pass, and what it causes come to its end. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  it('proves a pod at once, then at intervals, one family after the other', async () => {
    add();
    expect((await watch.stateOf('u', 1000))?.status).to.equal('True');
    await pass(0);
    expect(told).to.deep.equal(['True Proven', 'first']);
    await pass(2 * INTERVAL_MS + 1000);
    expect(families).to.deep.equal([undefined, 'v6', 'v4']);
  });

  it('goes through the pods of the node once in a while, not at each look', async () => {
    for (let index = 0; index < 100; index++) add(`u${index}`);
    await pass(1000);
    expect(families).to.have.length(100);
    let walks = 0;
    const keys = pods.keys.bind(pods);
    pods.keys = () => {
      walks++;
      return keys();
    };
    await pass(INTERVAL_MS);
    expect(families).to.have.length(200);
    expect(walks).to.be.at.most(INTERVAL_MS / 1000 + 1);
  });

  it('spreads pods over the interval, some together, and none of them late', async () => {
    let draws = 0;
    random = () => (draws++ % 100) / 100;
    for (let index = 0; index < 100; index++) add(`u${index}`);
    await pass(0);
    const looks: number[] = [];
    for (let passed = 0; passed < 1.3 * INTERVAL_MS; passed += 250) {
      const before = families.length;
      await pass(250);
      if (families.length > before) looks.push(families.length - before);
    }
    expect(families, 'looks at the first and the second time').to.have.length(200);
    expect(looks.length, 'moments').to.be.within(12, 18);
    expect(Math.max(...looks), 'at a time').to.be.below(10);
  });

  it('does not look at a pod whose capture is not complete', async () => {
    add().complete = false;
    pods.get('u')!.netns = NetworkNamespace.borrow(0);
    await pass(1000);
    watch.touch('u');
    const before = families.length;
    await pass(1000);
    expect(families).to.have.length(before);
  });

  it('takes one look that fails for a change under way', async () => {
    outcome = 'lost';
    add();
    await pass(0);
    outcome = 'answered';
    await pass(1000);
    expect(told).to.deep.equal(['True Proven', 'first']);
  });

  it('repairs a gap, and tells that it did', async () => {
    add();
    await pass(0);
    outcome = 'lost';
    onRepair = () => (outcome = 'answered');
    watch.touch('u');
    await pass(2000);
    expect(told.slice(2)).to.deep.equal(['repair', 'gap repaired OutboundNotCaptured']);
  });

  it('says with a gap what keeps it from being closed', async () => {
    add();
    await pass(0);
    outcome = 'diverted';
    onRepair = () => {
      throw new Error('ztunnel refuses pod shop/web: bind [::]:15001: EADDRINUSE');
    };
    await pass(INTERVAL_MS + 5000);
    expect((await watch.stateOf('u', 1000))?.message).to.match(
      /is taken by somebody else\. .*15001: EADDRINUSE/,
    );
    onRepair = () => undefined;
    await pass(INTERVAL_MS + 5000);
    outcome = 'answered';
    await pass(INTERVAL_MS + 5000);
    expect((await watch.stateOf('u', 1000))?.message).not.to.contain('EADDRINUSE');
  });

  it('tells of a gap that repair does not close, tries on ever more rarely, and tells when it is over', async () => {
    add();
    await pass(0);
    outcome = 'refused';
    watch.ztunnelsChanged();
    await pass(8000);
    watch.touch('u');
    await pass(60_000);
    const repairs = told.filter((each) => each.startsWith('repair'));
    expect(repairs.slice(0, 2)).to.deep.equal(['repair', 'repair thoroughly']);
    expect(repairs.length).to.be.within(4, 12);
    expect(told).to.include('gap open ZtunnelNotListening').and.to.include('False ZtunnelNotListening');
    outcome = 'answered';
    await pass(60_000);
    expect(told.slice(-2)).to.deep.equal(['gap over ZtunnelNotListening', 'True Proven']);
  });

  it('has a pod that flaps wait before it counts as captured again', async () => {
    add();
    await pass(0);
    const flap = async (): Promise<void> => {
      outcome = 'lost';
      watch.touch('u');
      await pass(1500);
      outcome = 'answered';
      watch.touch('u');
    };
    await flap();
    await pass(1000);
    expect(told.at(-1)).to.equal('True Proven');
    await flap();
    await pass(1000);
    expect(told.at(-1)).to.equal('gap over OutboundNotCaptured');
    await pass(12_000);
    expect(told.at(-1)).to.equal('True Proven');
  });

  it('blames no pod while no ztunnel is there, and says so after a while', async () => {
    add();
    await pass(0);
    ztunnels = 0;
    outcome = 'refused';
    watch.touch('u');
    await pass(5000);
    expect(told).to.have.length(2);
    await pass(15_000);
    expect(told.slice(2)).to.deep.equal(['False ZtunnelNotConnected']);
    ztunnels = 1;
    outcome = 'answered';
    watch.ztunnelsChanged();
    await pass(1000);
    expect(told.slice(3)).to.deep.equal(['True Proven']);
  });

  it('takes a ztunnel that hangs, and so has lost its connection, for no proxy of another make', async () => {
    add();
    await pass(0);
    outcome = 'taken';
    ztunnels = 0;
    watch.ztunnelsChanged();
    await pass(2 * INTERVAL_MS);
    expect(told.slice(2)).to.deep.equal(['Unknown ZtunnelSilent']);
    ztunnels = 1;
    outcome = 'answered';
    watch.ztunnelsChanged();
    await pass(1000);
    expect(told.at(-1)).to.equal('True Proven');
  });

  it('calls a proxy that does not answer no more than now and then, and says that it cannot tell', async () => {
    outcome = 'taken';
    add();
    await pass(11 * INTERVAL_MS);
    expect(told[0]).to.equal('Unknown ProxyDoesNotAnswer');
    expect(families).to.have.length(1);
    expect(told).to.include('quiet');
  });

  it('forgets a pod that is captured no more', async () => {
    add();
    await pass(0);
    pods.clear();
    await pass(INTERVAL_MS * 2);
    expect(families).to.have.length(1);
    expect(await watch.stateOf('u', 1000)).to.equal(undefined);
  });
});
