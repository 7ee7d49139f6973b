import { expect } from 'chai';
import type { MeshUpdate } from '@ambient/mesh';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import type { LogFields } from '@ambient/runtime';
import { typeUrl } from '@ambient/wire';

import { addressResource } from '../convert/from-mesh.ts';
import { sampleWorkload } from '../convert/samples.test-data.ts';
import { XdsStreamError } from '../errors.ts';
import { DeltaClient } from './delta-client.ts';
import type { DeltaClientOptions, DeltaStreamEvents, DeltaTransport } from './delta-client.ts';
import type { DeltaRequest } from './delta-state.ts';

interface ScriptedStream {
  readonly events: DeltaStreamEvents;
  readonly sent: DeltaRequest[];
  closed: boolean;
}

/** Streams that the test plays by hand, and everything that the client reports. */
class Rig {
  readonly clock = new ManualClock();
  readonly streams: ScriptedStream[] = [];
  readonly log: string[] = [];
  readonly events: string[] = [];
  readonly updates: MeshUpdate[] = [];
  readonly client: DeltaClient;

  constructor(options: Partial<DeltaClientOptions> = {}) {
    const transport: DeltaTransport = {
      address: 'https://control-plane:15012',
      open: (events) => {
        const stream: ScriptedStream = { events, sent: [], closed: false };
        this.streams.push(stream);
        return {
          send: (request) => {
            stream.sent.push(request);
            if (request.responseNonce)
              this.events.push(`${request.errorDetail ? 'nack' : 'ack'} ${request.responseNonce}`);
          },
          close: () => (stream.closed = true),
        };
      },
    };
    const write = (level: string, _scope: string, message: string, fields?: LogFields): void => {
      this.log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    };
    this.client = new DeltaClient({
      transport,
      node: { id: 'n' },
      onUpdate: (updates) => {
        this.updates.push(...updates);
        this.events.push('update');
      },
      onReady: () => this.events.push('ready'),
      onReject: (rejected) => this.events.push(`reject ${rejected.map((error) => error.resource).join()}`),
      metrics: {
        message: (url, bytes) =>
          this.events.push(`message ${url.split('.').at(-1)} ${bytes > 0 ? 'bytes' : 'empty'}`),
        terminated: (reason) => this.events.push(`terminated ${reason}`),
      },
      clock: this.clock,
      log: new Logger(new LogLevels('debug'), { write }, 'xds'),
      ...options,
    });
    this.client.start();
  }

  get last(): ScriptedStream {
    return this.streams.at(-1)!;
  }

  end(error?: XdsStreamError): void {
    this.last.events.onEnd(error);
  }
}

const workload = addressResource({ workload: sampleWorkload }, 'v1');

describe('DeltaClient', () => {
  it('subscribes, applies before it acknowledges, and becomes ready after both types', () => {
    const rig = new Rig();
    expect(rig.last.sent.map((request) => request.typeUrl)).to.deep.equal([
      typeUrl.address,
      typeUrl.authorization,
    ]);
    rig.last.events.onResponse({ typeUrl: typeUrl.address, nonce: 'a', resources: [workload] });
    rig.last.events.onResponse({ typeUrl: typeUrl.authorization, nonce: 'b' });
    expect(rig.events).to.deep.equal([
      'message Address bytes',
      'update',
      'ack a',
      'message Authorization empty',
      'ack b',
      'ready',
    ]);
    expect(rig.client.status()).to.include({ state: 'connected', streams: 1, ready: true });
  });

  it('refuses a bad resource by name and says so in the log', () => {
    const rig = new Rig();
    rig.last.events.onResponse({
      typeUrl: typeUrl.address,
      nonce: 'a',
      resources: [workload, { name: 'bad' }],
    });
    expect(rig.events).to.deep.equal(['message Address bytes', 'update', 'reject bad', 'nack a']);
    expect(rig.last.sent.at(-1)?.errorDetail?.message).to.equal('bad: resource: is missing');
    expect(rig.log.filter((line) => line.startsWith('warn'))).to.have.length(1);
    expect(rig.log.join('\n')).to.match(/resource rejected.*bad: resource: is missing/);
  });

  it('comes back with what it holds after the control plane went away', () => {
    const rig = new Rig();
    rig.last.events.onResponse({ typeUrl: typeUrl.address, nonce: 'a', resources: [workload] });
    rig.end(new XdsStreamError('XDS_STATUS', 'gone', 'transport is closing', 14));
    expect(rig.client.status()).to.include({ state: 'waiting', lastError: 'gone' });
    rig.clock.advance(9);
    expect(rig.streams).to.have.length(1);
    rig.clock.advance(1);
    expect(rig.streams).to.have.length(2);
    expect(rig.last.sent[0]!.initialResourceVersions).to.deep.equal({ [sampleWorkload.uid]: 'v1' });
    expect(rig.events).to.include('terminated Reconnect');
  });

  it('backs off while the control plane is down, then says how it came back', () => {
    const rig = new Rig();
    const refused = new XdsStreamError('XDS_CONNECT', 'refused', 'refused', 14);
    for (const waitMs of [20, 40, 80]) {
      rig.end(refused);
      expect(rig.clock.nextTimerInMs).to.equal(waitMs);
      rig.clock.advance(waitMs);
    }
    expect(rig.streams).to.have.length(4);
    expect(rig.log.filter((line) => line.includes('discovery stream failed'))).to.have.length(3);
    rig.last.events.onResponse({ typeUrl: typeUrl.address, nonce: 'a' });
    expect(rig.client.status().lastError).to.equal('');
  });

  it('ignores events of a stream that it has left', () => {
    const rig = new Rig();
    const old = rig.last;
    rig.end();
    rig.clock.advance(0);
    old.events.onResponse({ typeUrl: typeUrl.address, nonce: 'late', resources: [workload] });
    old.events.onEnd(undefined);
    expect(rig.updates).to.deep.equal([]);
    expect(rig.streams).to.have.length(2);
    expect(rig.client.status().state).to.equal('connecting');
  });

  it('stops whatever it is doing and leaves no timer', () => {
    const open = new Rig();
    open.client.stop();
    expect(open.last.closed).to.equal(true);
    const waiting = new Rig();
    waiting.end(new XdsStreamError('XDS_CONNECT', 'x', 'x'));
    waiting.client.stop();
    expect(waiting.clock.pendingTimers).to.equal(0);
    expect(waiting.client.status().state).to.equal('stopped');
  });

  it('may be stopped from within a callback', () => {
    const rig: Rig = new Rig({ onUpdate: () => rig.client.stop() });
    rig.last.events.onResponse({ typeUrl: typeUrl.address, nonce: 'a', resources: [workload] });
    expect(rig.last.closed).to.equal(true);
    expect(rig.events).to.not.include('ack a');
  });

  describe('demand', () => {
    it('is answered at once when everything is subscribed', () => {
      const rig = new Rig();
      let answered = 0;
      rig.client.demand('net-a/10.0.0.1', () => answered++);
      expect(answered).to.equal(1);
      expect(rig.last.sent).to.have.length(2);
    });

    it('is sent once for many waiters, and answered to all after the update', () => {
      const rig = new Rig({ onDemand: true });
      for (const who of ['first', 'second'])
        rig.client.demand('net-a/10.0.0.1', () => rig.events.push(`answered ${who}`));
      expect(rig.last.sent.slice(2)).to.deep.equal([
        { typeUrl: typeUrl.address, resourceNamesSubscribe: ['net-a/10.0.0.1'] },
      ]);
      rig.last.events.onResponse({ typeUrl: typeUrl.address, nonce: 'a', resources: [workload] });
      expect(rig.events).to.deep.equal([
        'message Address bytes',
        'update',
        'answered first',
        'answered second',
        'ack a',
      ]);
      rig.client.demand(sampleWorkload.uid, () => rig.events.push('held already'));
      expect(rig.events.at(-1)).to.equal('held already');
    });

    it('is not told to a waiter that gave up', () => {
      const rig = new Rig({ onDemand: true });
      rig.client.demand('x', () => rig.events.push('answered'))[Symbol.dispose]();
      rig.last.events.onResponse({ typeUrl: typeUrl.address, nonce: 'a', removedResources: ['x'] });
      expect(rig.events).to.not.include('answered');
    });

    it('made while there is no stream is sent on the next', () => {
      const rig = new Rig({ onDemand: true });
      rig.end(new XdsStreamError('XDS_CONNECT', 'x', 'x'));
      rig.client.demand('a/b', () => {});
      rig.clock.advance(20);
      expect(rig.last.sent.at(-1)).to.deep.equal({
        typeUrl: typeUrl.address,
        resourceNamesSubscribe: ['a/b'],
      });
    });
  });
});
