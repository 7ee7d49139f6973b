/**
 * Asks a DNS server as fast as it answers: so many questions are always under way, and each answer is followed by the next
 * question. Prints a DnsLoadResult as JSON.
 *
 *   node bench/load/dns-load.ts '{"server": "127.0.0.1", "port": 53, "names": ["a.example"], "type": 1, "underWay": 32, "seconds": 5}'
 */
import { IoBuffer, Reactor, Timer, UdpSocket } from '@ambient/linux';

export interface DnsLoadOptions {
  readonly server: string;
  readonly port: number;
  /** Asked for in turn. */
  readonly names: readonly string[];
  /** Number of the record type; 1 is A. */
  readonly type: number;
  readonly underWay: number;
  readonly seconds: number;
}

export interface DnsLoadResult {
  readonly answersPerSecond: number;
  /** Answers with another code than NOERROR. */
  readonly failed: number;
  readonly lost: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
}

const HEADER_BYTES = 12;
const LOST_AFTER_MS = 1000;

/** A question of one name, with EDNS left out; the id is 0. */
function question(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, type >> 8, type & 255, 0, 1])]);
}

/** One question under way on a socket of its own. */
class Asker {
  readonly #reactor: Reactor;
  readonly #socket: UdpSocket;
  readonly #load: DnsLoad;
  readonly #buffer = new IoBuffer(4096);
  readonly #lost = new Timer(() => {
    this.#load.lost++;
    this.ask();
  });
  #sentMs = 0;
  #id = 0;

  constructor(reactor: Reactor, options: DnsLoadOptions, load: DnsLoad) {
    this.#reactor = reactor;
    this.#load = load;
    this.#socket = UdpSocket.connected({ ip: options.server, port: options.port });
    const onFault = (error: unknown): void => {
      throw error as Error;
    };
    reactor.registerReadable(this.#socket.fd, { onReadiness: () => this.#take(), onFault });
  }

  ask(): void {
    const message = this.#load.nextMessage();
    this.#id = (this.#id + 1) & 0xffff;
    message.copy(this.#buffer.bytes);
    this.#buffer.bytes.writeUInt16BE(this.#id, 0);
    this.#sentMs = performance.now();
    this.#socket.sendConnected(this.#buffer, 0, message.length);
    this.#reactor.setTimer(this.#lost, LOST_AFTER_MS);
  }

  #take(): void {
    const length = this.#socket.recvConnected(this.#buffer, 0, 4096);
    const { bytes } = this.#buffer;
    if (length < HEADER_BYTES || bytes.readUInt16BE(0) !== this.#id) return;
    if ((bytes[3]! & 15) !== 0) this.#load.failed++;
    this.#load.waits.push(performance.now() - this.#sentMs);
    this.ask();
  }
}

class DnsLoad {
  failed = 0;
  lost = 0;
  /** Milliseconds of each question. */
  readonly waits: number[] = [];
  readonly #messages: readonly Buffer[];
  #next = 0;

  constructor({ names, type }: DnsLoadOptions) {
    this.#messages = names.map((name) => question(name, type));
  }

  nextMessage(): Buffer {
    return this.#messages[this.#next++ % this.#messages.length]!;
  }
}

const options = JSON.parse(process.argv[2]!) as DnsLoadOptions;
const reactor = new Reactor((error) => {
  throw error as Error;
});
const load = new DnsLoad(options);
for (let i = 0; i < options.underWay; i++) new Asker(reactor, options, load).ask();
const started = performance.now();
reactor.setTimer(new Timer(() => reactor.stop()), options.seconds * 1000);
reactor.run();
const seconds = (performance.now() - started) / 1000;
const waits = Float64Array.from(load.waits).sort();
const quantile = (share: number): number => Math.round((waits[Math.floor(waits.length * share)] ?? 0) * 1000);
const result: DnsLoadResult = {
  answersPerSecond: Math.round(waits.length / seconds),
  failed: load.failed,
  lost: load.lost,
  p50: quantile(0.5),
  p99: quantile(0.99),
};
console.log(JSON.stringify(result));
process.exit(0);
