import { expect } from 'chai';
import { CLIENT_PREFACE, connectFrame, dataFrame, FrameType } from '@ambient/testkit/hostile-peer';
import type { HostilePeer } from '@ambient/testkit/hostile-peer';
import { ECHO_PORT, useRig } from './rig.ts';

const ECHO = `10.77.0.2:${ECHO_PORT}`; // the second pod: server
const HOLE_PORT = 7400;
const CLIENT_HELLO_START = Buffer.from('160301020001000001fc0303', 'hex');
/** 20 s for the answer to a PING, of which there is one every 10 s; and what a busy machine adds. */
const PING_DEADLINE_MS = 40_000;
const HANDSHAKE_DEADLINE_MS = 20_000;

/**
 * Silences run side by side, since each takes the time that its limit says: all begin before the first test, and each test
 * waits for the end of one.
 */
describe('peers and applications that fall silent', function () {
  this.timeout(PING_DEADLINE_MS + 10_000);
  const rig = useRig({}, 'the suite');
  let noTls: HostilePeer;
  let halfHello: HostilePeer;
  let noPreface: HostilePeer;
  let noSettings: HostilePeer;
  let noPong: HostilePeer;
  let noPongApp: Promise<string>;
  let vanished: HostilePeer;
  let patient: HostilePeer;
  let towardsHole: HostilePeer;
  let unanswered: HostilePeer;

  before(async () => {
    const { server, attacker } = rig();
    for (const [name, pod, rule] of [
      ['hole', server, ['tcp', 'dport', String(HOLE_PORT), 'drop']],
      ['vanish', attacker, []],
    ] as const) {
      await pod.netns.must(['nft', 'add', 'table', 'inet', name]);
      await pod.netns.must([
        'nft',
        'add',
        'chain',
        'inet',
        name,
        'in',
        '{ type filter hook input priority 0; }',
      ]);
      if (rule.length > 0) await pod.netns.must(['nft', 'add', 'rule', 'inet', name, 'in', ...rule]);
    }
    await rig().admitAttacker();

    noTls = rig().attackTcp();
    halfHello = rig().attackTcp();
    halfHello.send(CLIENT_HELLO_START);
    noPreface = await rig().attackTls();
    noSettings = await rig().attackTls();
    noSettings.send(CLIENT_PREFACE);

    noPongApp = new Promise((resolve) => {
      rig().listen(7401, (socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
        socket.on('end', () => resolve('end')).resume();
      });
    });
    noPong = await rig().attack();
    noPong.send(connectFrame(1, '10.77.0.2:7401'), dataFrame(1, 'last words'));
    expect(await noPong.answer(1)).to.equal('200');

    patient = await rig().attack();
    patient.answerPings();
    patient.send(connectFrame(1, ECHO));
    expect(await patient.answer(1)).to.equal('200');

    towardsHole = await rig().attack();
    towardsHole.send(connectFrame(1, `10.77.0.2:${HOLE_PORT}`), connectFrame(3, ECHO));
    expect(await towardsHole.answer(3)).to.equal('200');

    rig().serveHostile(async (peer) => {
      await peer.start();
    });
    unanswered = rig().callFromClient(attacker.ipv4, 1501);

    vanished = await rig().attack();
    vanished.send(connectFrame(1, ECHO), dataFrame(1, 'hello'));
    await vanished.waitFor(() => (vanished.received(1).length === 5 ? true : undefined), 'echo');
    const port = vanished.address.split(':').at(-1)!;
    await attacker.netns.must(['nft', 'add', 'rule', 'inet', 'vanish', 'in', 'tcp', 'dport', port, 'drop']);
  });

  it('TCP without a byte of TLS: ended as handshake-timeout', async () => {
    await noTls.waitForEnd(HANDSHAKE_DEADLINE_MS);
    await rig().verdict(noTls, { reason: 'handshake-timeout', message: 'connection failed' });
  });

  it('half a ClientHello: ended as handshake-timeout', async () => {
    await halfHello.waitForEnd(HANDSHAKE_DEADLINE_MS);
    await rig().verdict(halfHello, { reason: 'handshake-timeout', message: 'connection failed' });
  });

  it('TLS without the preface of HTTP/2: ended as handshake-timeout', async () => {
    await noPreface.waitForEnd(HANDSHAKE_DEADLINE_MS);
    await rig().verdict(noPreface, { reason: 'handshake-timeout', message: 'connection failed' });
  });

  it('a preface without SETTINGS: ended as handshake-timeout', async () => {
    await noSettings.waitForEnd(HANDSHAKE_DEADLINE_MS);
    await rig().verdict(noSettings, { reason: 'handshake-timeout', message: 'connection failed' });
  });

  it('an application that never accepts: 503 as application-timeout, its sibling goes on', async () => {
    expect(await towardsHole.answer(1, HANDSHAKE_DEADLINE_MS)).to.equal('503');
    towardsHole.send(dataFrame(3, 'sibling'));
    await towardsHole.waitFor(
      () => (String(towardsHole.received(3)) === 'sibling' ? true : undefined),
      'echo',
    );
    await rig().verdict(towardsHole, { reason: 'application-timeout' });
    await rig().server.netns.must(['nft', 'delete', 'table', 'inet', 'hole']);
  });

  it('a client that reads but answers no PING: ended as ping-timeout, its application sees a reset', async () => {
    await noPong.waitForEnd(PING_DEADLINE_MS);
    expect(noPong.goaway).to.match(/^NO_ERROR/);
    expect(await noPongApp).to.equal('ECONNRESET');
    await rig().verdict(noPong, { reason: 'ping-timeout', message: 'connection complete' });
    await rig().verdict(noPong, { reason: 'ping-timeout', message: 'connection failed' });
  });

  it('a client that vanishes without a word: ended as ping-timeout', async () => {
    await rig().verdict(
      vanished,
      { reason: 'ping-timeout', message: 'connection complete' },
      PING_DEADLINE_MS,
    );
    await rig().attacker.netns.must(['nft', 'delete', 'table', 'inet', 'vanish']);
    vanished.reset(); // the kernel would try for a minute to end it in good order
  });

  it('a server that never answers CONNECT nor PING: the caller is cut off, for ping-timeout', async () => {
    expect(await unanswered.waitForEnd(PING_DEADLINE_MS)).to.equal('reset');
    await rig().outboundVerdict(`${rig().attacker.ipv4}:1501`, { reason: 'ping-timeout' });
  });

  it('a client that says nothing but answers PING: is let live', async () => {
    await patient.waitFor(
      () => (patient.frames.filter((each) => each.type === FrameType.PING).length >= 3 ? true : undefined),
      'third PING',
      PING_DEADLINE_MS,
    );
    patient.send(dataFrame(1, 'still here', true));
    await patient.waitFor(() => (patient.streamEnded(1) ? true : undefined), 'echo');
    expect(String(patient.received(1))).to.equal('still here');
  });
});
