import type { HeaderBlock } from '@ambient/http';
import type { Carrier, HboneTunnel, TunnelSink } from '@ambient/hbone';
import { HboneError } from '@ambient/hbone';
import type { Reactor, ReadinessHandler, TcpSocket } from '@ambient/linux';
import { ERROR, FAILED, HANGUP, IoBuffer, PEER_CLOSED, READABLE, WRITABLE } from '@ambient/linux';
import type { BulkLane, BulkSource } from './bulk-lane.ts';
import { bulkLaneOf } from './bulk-lane.ts';
import { ByteFifo } from './byte-fifo.ts';

/**
 * A stream whose last share was as large waits in the bulk lane for its next one, also when that one comes by a new
 * readiness: ten that become ready at once are not all read before somebody's small request. So does one that carries bulk
 * in small shares, as ten do among which the peer's window is divided.
 */
const BULK_SHARE_BYTES = 32 * 1024;
/**
 * Asked for beyond a share, while no other pod waits: the read that reaches the share is the last, and may as well fill a
 * write.
 */
const BEYOND_SHARE_BYTES = 16 * 1024;
/** An end, which a read tells. */
const ENDED = PEER_CLOSED | ERROR | HANGUP;
const TO_READ = READABLE | ENDED;
const NO_ERROR = 0;
/** For a read whose only purpose is its error. */
const probeBuffer = new IoBuffer(1);
const CANCEL = 8;
/** An error of the TCP connection at the end of a tunnel: RFC 9113, section 8.5. Proxies take NO_ERROR and CANCEL for an orderly end. */
const CONNECT_ERROR = 0xa;

export interface TunnelRelayOwner {
  /** Client side: the peer has accepted the tunnel. */
  onTunnelOpen(headers: HeaderBlock): void;
  /** Both sides are closed, the relay's socket included. @param error undefined after an orderly end of both halves */
  onRelayEnd(error: Error | undefined): void;
}

/**
 * Carries bytes between an application's socket and a tunnel, each direction with its own end (half-close).
 *
 * Application to tunnel: read straight into the connection's write buffer, behind the place of the frame header. Tunnel to
 * application: sent straight from the connection's read buffer; only what the socket does not take is copied.
 */
export class TunnelRelay implements ReadinessHandler, TunnelSink, BulkSource, Carrier {
  readonly #reactor: Reactor;
  readonly #owner: TunnelRelayOwner;
  #socket: TcpSocket | undefined;
  /** The socket as long as it is only watched. */
  #watched: TcpSocket | undefined;
  #tunnel: HboneTunnel | undefined;
  readonly #toSocket = new ByteFifo();
  #readable = false;
  #socketHungUp = false;
  /** The application sends no more. */
  #socketEnded = false;
  /** The peer sends no more. */
  #tunnelEnded = false;
  /** We have passed the peer's end on to the application. */
  #writeShutDown = false;
  readonly #lane: BulkLane;
  /** The next reads wait in the bulk lane. */
  #bulk = false;
  #inLane = false;
  #preambleLeft = 0;
  #done = false;
  /** @internal of what the application sends */
  intervalStartMs = -Infinity;
  /** @internal of what the application sends */
  intervalBytes = 0;
  /** @internal of what the application sends */
  carriesBulk = false;
  /** Bytes from the application into the tunnel. */
  sentToTunnel = 0;
  /** Bytes from the tunnel to the application. */
  receivedFromTunnel = 0;

  constructor(reactor: Reactor, owner: TunnelRelayOwner) {
    this.#reactor = reactor;
    this.#lane = bulkLaneOf(reactor);
    this.#owner = owner;
  }

  /** The tunnel stands, or has been asked for; bytes from it may come. */
  attachTunnel(tunnel: HboneTunnel): void {
    this.#tunnel = tunnel;
  }

  /** Until the tunnel stands: notices an application that resets meanwhile, and gives the tunnel up. */
  watchSocket(socket: TcpSocket): void {
    this.#watched = socket;
    try {
      this.#reactor.register(socket.fd, this);
    } catch (error) {
      this.fail(error as Error); // the kernel refuses, which ends this relay and nothing else
    }
  }

  #onWatchedReadiness(socket: TcpSocket, readiness: number): void {
    if ((readiness & (ERROR | HANGUP)) === 0) return; // data or an end, to be read when the tunnel stands
    if (socket.recv(probeBuffer, 0, 1) === FAILED) this.fail(socket.lastError!);
  }

  /** The tunnel stands: starts to carry between it and the watched socket. */
  attachWatched(): void {
    this.#socket = this.#watched!;
    this.#watched = undefined;
    this.#start();
  }

  /**
   * Starts to carry.
   * @param socket connected, and registered with the reactor by who dialled; owned from now on
   * @param readiness what has been told of it
   * @param preamble bytes for the application ahead of everything from the tunnel (a PROXY header)
   */
  attachDialled(socket: TcpSocket, readiness: number, preamble?: Buffer): void {
    this.#socket = socket;
    this.#reactor.handOver(socket.fd, this);
    this.#note(readiness);
    if (preamble !== undefined) {
      this.#preambleLeft = preamble.length;
      this.#toSocket.prepend(preamble);
    }
    this.#start();
  }

  /** What has not been told cannot be read: nobody looks. */
  #start(): void {
    this.#drainToSocket();
    this.#pump();
  }

  get done(): boolean {
    return this.#done;
  }

  // --- the application's socket ---

  onReadiness(readiness: number): void {
    if (this.#done) return;
    this.#note(readiness);
    if (this.#watched !== undefined) {
      this.#onWatchedReadiness(this.#watched, readiness);
      return;
    }
    if ((readiness & WRITABLE) !== 0 && this.#toSocket.length > 0) this.#drainToSocket();
    if ((readiness & TO_READ) !== 0) this.#pumpInLane();
    // Once the application has ended its half nothing is read, and no read will tell of a reset.
    if ((readiness & (ERROR | HANGUP)) !== 0 && this.#socketEnded) this.#failIfBroken();
  }

  /** Each change is told once. */
  #note(readiness: number): void {
    if ((readiness & TO_READ) !== 0) this.#readable = true;
    if ((readiness & ENDED) !== 0) this.#socketHungUp = true;
  }

  #failIfBroken(): void {
    if (this.#done) return;
    const error = this.#socket!.takeError();
    if (error !== undefined) this.fail(error);
  }

  onFault(error: unknown): void {
    this.fail(new HboneError('defect', 'a defect in this program ended the connection', { cause: error }));
  }

  moveShare(): number {
    this.#inLane = false;
    const before = this.sentToTunnel;
    this.#pump();
    return this.sentToTunnel - before;
  }

  #pumpInLane(): void {
    if (this.#inLane) return;
    if (!this.#bulk) {
      this.#pump();
      return;
    }
    this.#inLane = true;
    this.#lane.add(this);
  }

  /** Reads from the application into the tunnel, a share at most, and learns from it which lane is the next one's. */
  #pump(): void {
    const before = this.sentToTunnel;
    this.#readShare();
    const sent = this.sentToTunnel - before;
    if (sent > 0) this.#lane.onSent(this, sent);
    if (!this.#inLane) this.#bulk = this.carriesBulk || sent >= BULK_SHARE_BYTES;
  }

  #readShare(): void {
    const socket = this.#socket;
    const tunnel = this.#tunnel;
    if (socket === undefined || tunnel === undefined) return;
    let budget = this.#lane.shareBytes;
    const atOnce = this.#reactor.inCompany ? budget : budget + BEYOND_SHARE_BYTES;
    while (this.#readable && !this.#socketEnded && !this.#done) {
      if (budget <= 0 || (this.#reactor.shareUsed && budget < atOnce)) {
        this.#bulk = true;
        this.#pumpInLane();
        return;
      }
      const room = tunnel.prepareWrite(atOnce);
      if (room === 0) return; // onTunnelWritable follows
      const { connection } = tunnel;
      const n = socket.recv(connection.writeBuffer, connection.writeOffset, room);
      if (n > 0) {
        tunnel.commitWrite(n);
        this.sentToTunnel += n;
        budget -= n;
        // A short read has emptied the socket; what comes later is told anew. Not so an end that was told already.
        if (n < room && !this.#socketHungUp) this.#readable = false;
      } else if (n === 0) {
        this.#socketEnded = true;
        tunnel.end();
        this.#finishIfBothEnded();
      } else if (n === FAILED) {
        this.fail(socket.lastError!);
      } else {
        this.#readable = false;
      }
    }
  }

  #drainToSocket(): void {
    const socket = this.#socket!;
    if (this.#toSocket.length > 0) {
      const n = this.#toSocket.drainTo(socket, (bytes) => {
        // The preamble comes from us: neither counted nor given back to the peer's window.
        const ours = Math.min(bytes, this.#preambleLeft);
        this.#preambleLeft -= ours;
        this.receivedFromTunnel += bytes - ours;
        if (bytes > ours) this.#tunnel?.consumed(bytes - ours);
      });
      if (n === FAILED) {
        this.fail(socket.lastError!);
        return;
      }
    }
    this.#passEndOn();
  }

  #passEndOn(): void {
    if (!this.#tunnelEnded || this.#writeShutDown || this.#socket === undefined) return;
    if (this.#toSocket.length > 0) return;
    this.#writeShutDown = true;
    if (!this.#socketEnded) this.#socket.shutdownWrite(); // else closing does
    this.#finishIfBothEnded();
  }

  #finishIfBothEnded(): void {
    if (this.#socketEnded && this.#writeShutDown) this.#finish(undefined, false);
  }

  // --- the tunnel ---

  onTunnelOpen(headers: HeaderBlock): void {
    this.#owner.onTunnelOpen(headers);
  }

  onTunnelData(buffer: IoBuffer, start: number, end: number): void {
    if (this.#done) return;
    let at = start;
    const socket = this.#socket;
    if (socket !== undefined && this.#toSocket.length === 0) {
      const n = socket.send(buffer, start, end - start);
      if (n > 0) {
        at += n;
        this.receivedFromTunnel += n;
        this.#tunnel!.consumed(n);
      } else if (n === FAILED) {
        this.fail(socket.lastError!);
        return;
      }
    }
    if (at < end) this.#toSocket.append(buffer, at, end);
  }

  onTunnelEnd(): void {
    if (this.#done) return;
    this.#tunnelEnded = true;
    this.#passEndOn();
  }

  onTunnelWritable(): void {
    if (!this.#done) this.#pumpInLane();
  }

  onTunnelClosed(error: HboneError | undefined): void {
    if (this.#done) return;
    if (error === undefined) {
      this.#tunnelEnded = true;
      this.#passEndOn();
      return;
    }
    // A peer that gives a tunnel up without an error has nothing more to say: the application sees an ordinary end. One that
    // does so before the tunnel stood has refused it.
    const clean = error.http2Code === NO_ERROR || error.http2Code === CANCEL;
    if (!clean || this.#socket === undefined) {
      this.#finish(error, true);
      return;
    }
    this.#tunnelEnded = true;
    this.#socketEnded = true; // whatever it still sends goes nowhere
    this.#passEndOn();
    this.#finishIfBothEnded();
  }

  // --- the end ---

  /** Cuts both sides: the application sees a reset, so that it does not take a part for the whole. */
  fail(error: Error): void {
    if (this.#done) return;
    this.#tunnel?.reset(CONNECT_ERROR);
    this.#finish(error, true);
  }

  #finish(error: Error | undefined, abort: boolean): void {
    if (this.#done) return;
    this.#done = true;
    this.#toSocket.clear();
    const socket = this.#socket ?? this.#watched;
    if (socket !== undefined && !socket.closed) {
      this.#reactor.forget(socket.fd);
      if (abort) socket.abort();
      else socket.close();
    }
    this.#owner.onRelayEnd(error);
  }
}
