import type { Descriptor } from './descriptor.ts';
import { checked, owned } from './descriptor.ts';
import { MisuseError, SystemError } from './errors.ts';
import { FairTurns, Tenant } from './fair-turns.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';
import { namespaceTrap } from './namespace.ts';
import type { Timer } from './timers.ts';
import { TimerWheel } from './timers.ts';

/** What a descriptor is ready for. Bits of one number. */
export const READABLE = 0x001;
export const WRITABLE = 0x004;
export const ERROR = 0x008;
export const HANGUP = 0x010;
/** The peer has shut down its writing half (or more). */
export const PEER_CLOSED = 0x2000;

const EDGE_TRIGGERED = 0x80000000 | 0;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16; // packed on x86-64 only: see epoll_event in <sys/epoll.h>
const DATA_AT = EVENT_BYTES - 8;
const MAX_EVENTS = 256;
/** A worker that is asked to end from outside notices at this interval at the latest. */
const MAX_WAIT_MS = 1000;

/** The owner of a registered descriptor. */
export interface ReadinessHandler {
  /**
   * Edge-triggered: told once per change, so remember readiness until a call says WOULD_BLOCK.
   * @param readiness READABLE | WRITABLE | ERROR | HANGUP | PEER_CLOSED
   */
  onReadiness(readiness: number): void;
  /** `onReadiness` threw: a defect. Give up this connection; the reactor and its other connections go on. */
  onFault(error: unknown): void;
}

/** Work that a turn does after all readiness has been handed out. */
export interface TurnTask {
  run(): void;
  onFault(error: unknown): void;
}

/** A registered descriptor; as a job, what it is ready for and has not been told. */
class Registration implements TurnTask {
  handler: ReadinessHandler;
  readonly generation: number;
  readonly tenant: Tenant | undefined;
  /** Not told yet; 0: nothing is queued. */
  readiness = 0;
  live = true;

  constructor(handler: ReadinessHandler, generation: number, tenant: Tenant | undefined) {
    this.handler = handler;
    this.generation = generation;
    this.tenant = tenant;
  }

  run(): void {
    const { readiness } = this;
    this.readiness = 0;
    if (this.live) this.handler.onReadiness(readiness);
  }

  onFault(error: unknown): void {
    this.handler.onFault(error);
  }
}

/** What all views of one reactor have in common. */
class Loop {
  readonly epoll: Descriptor;
  readonly #events = new IoBuffer(EVENT_BYTES * MAX_EVENTS);
  readonly #eventsPointer = this.#events.addressOf(0, EVENT_BYTES * MAX_EVENTS);
  readonly #control = new IoBuffer(16);
  readonly #controlPointer = this.#control.addressOf(0, 16);
  readonly #registrations: (Registration | undefined)[] = [];
  #generation = 0;
  readonly timers: TimerWheel;
  nowMs: number;
  endOfTurn: TurnTask[] = [];
  #nextTurn: TurnTask[] = [];
  /** Whose task each of `#nextTurn` is. */
  #nextTurnOf: (Tenant | undefined)[] = [];
  readonly fair = new FairTurns(
    () => performance.now(),
    () => {
      this.#runEndOfTurn();
    },
  );
  /** Alone, a tenant has the whole thread, and nothing needs to be measured. */
  tenants = 0;
  stopped = false;
  readonly #onFault: (error: unknown) => void;

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
    this.epoll = owned('epoll_create1', libc.epollCreate1(libc.SOCK_CLOEXEC));
    this.nowMs = performance.now();
    this.timers = new TimerWheel(this.nowMs);
  }

  register(fd: number, handler: ReadinessHandler, events: number, tenant: Tenant | undefined): void {
    const generation = (this.#generation = (this.#generation + 1) & 0x7fffffff);
    const bytes = this.#control.bytes;
    bytes.writeInt32LE(events, 0);
    bytes.writeInt32LE(fd, DATA_AT);
    bytes.writeInt32LE(generation, DATA_AT + 4);
    checked('epoll_ctl', libc.epollCtl(this.epoll.fd, EPOLL_CTL_ADD, fd, this.#controlPointer));
    this.#registrations[fd] = new Registration(handler, generation, tenant);
  }

  handOver(fd: number, handler: ReadinessHandler): void {
    const registration = this.#registrations[fd];
    if (registration === undefined) throw new MisuseError(`descriptor ${fd} is not registered`);
    registration.handler = handler;
  }

  /** @returns whether it was registered */
  forget(fd: number): boolean {
    const registration = this.#registrations[fd];
    if (registration === undefined) return false;
    registration.live = false;
    this.#registrations[fd] = undefined;
    return true;
  }

  unregister(fd: number): void {
    if (this.forget(fd)) libc.epollCtl(this.epoll.fd, EPOLL_CTL_DEL, fd, this.#controlPointer);
  }

  inNextTurn(task: TurnTask, tenant: Tenant | undefined): void {
    this.#nextTurn.push(task);
    this.#nextTurnOf.push(tenant);
  }

  turn(maxWaitMs: number): void {
    const deferred = this.#nextTurn;
    const deferredOf = this.#nextTurnOf;
    let waitMs = 0;
    if (deferred.length > 0) {
      this.#nextTurn = [];
      this.#nextTurnOf = [];
    } else if (this.endOfTurn.length === 0 && !this.fair.pending) {
      waitMs = Math.ceil(Math.min(maxWaitMs, this.timers.waitMs(this.nowMs)));
      this.fair.onIdle();
    }
    const count = this.#wait(waitMs);
    this.nowMs = performance.now();
    this.#dispatch(count);
    this.fair.runFresh();
    this.#runEndOfTurn();
    if (deferred.length > 0) this.#goOn(deferred, deferredOf);
    if (this.fair.pending) this.fair.runBacklog();
    this.timers.expire(this.nowMs, this.#onFault);
    if (namespaceTrap !== undefined) throw namespaceTrap;
  }

  /** Those who had used up their share of the last turn. */
  #goOn(tasks: readonly TurnTask[], of: readonly (Tenant | undefined)[]): void {
    if (this.tenants <= 1) {
      runTasks(tasks);
      this.#runEndOfTurn();
      return;
    }
    const nobodys: TurnTask[] = [];
    for (let i = 0; i < tasks.length; i++) {
      const tenant = of[i];
      if (tenant === undefined) nobodys.push(tasks[i]!);
      else this.fair.add(tenant, tasks[i]!, false);
    }
    runTasks(nobodys);
  }

  /** A task may ask for another at the end of the same turn (a flush that wakes a writer): runs until there is none. */
  #runEndOfTurn(): void {
    while (this.endOfTurn.length > 0) {
      const tasks = this.endOfTurn;
      this.endOfTurn = [];
      runTasks(tasks);
    }
  }

  #wait(waitMs: number): number {
    const count = libc.epollWait(this.epoll.fd, this.#eventsPointer, MAX_EVENTS, waitMs);
    if (count >= 0) return count;
    const errno = libc.errno();
    if (errno === libc.EINTR) return 0;
    throw new SystemError('epoll_wait', errno);
  }

  #dispatch(count: number): void {
    const bytes = this.#events.bytes;
    const shared = this.tenants > 1;
    for (let i = 0, at = 0; i < count; i++, at += EVENT_BYTES) {
      const registration = this.#registrations[bytes.readInt32LE(at + DATA_AT)];
      // An earlier handler of this turn may have closed the descriptor, and its number may serve another already.
      if (registration === undefined || registration.generation !== bytes.readInt32LE(at + DATA_AT + 4))
        continue;
      const { tenant, handler } = registration;
      const readiness = bytes.readInt32LE(at);
      if (tenant !== undefined && (shared || tenant.queued)) {
        if (registration.readiness === 0) this.fair.add(tenant, registration, true);
        registration.readiness |= readiness;
        continue;
      }
      try {
        handler.onReadiness(readiness);
      } catch (error) {
        handler.onFault(error);
      }
    }
  }
}

/**
 * One epoll loop for one thread. The loop of a data worker never unwinds, so promises do not run there.
 *
 * A turn: wait for readiness, tell handlers, run the turn's tasks (flushes), go on with those who had used up their share
 * of the last turn, then timers. What timers write goes out with the tasks of the next turn, which does not wait then.
 *
 * Several tenants may share a reactor: each has a view of its own, and they take turns by time.
 */
export class Reactor {
  readonly #loop: Loop;
  readonly #tenant: Tenant | undefined;
  #left = false;

  /** @param onFault told of a defect in a timer, where no connection can be blamed */
  constructor(onFault: (error: unknown) => void);
  /** @internal a tenant's view */
  constructor(onFault: undefined, loop: Loop);
  constructor(onFault: ((error: unknown) => void) | undefined, loop?: Loop) {
    this.#loop = loop ?? new Loop(onFault!);
    if (loop === undefined) return;
    this.#tenant = new Tenant();
    loop.tenants++;
  }

  /**
   * A view of this reactor for one of several who share its thread: what is registered or put off through it is done in this
   * tenant's share of time. `close` it when the tenant leaves; the reactor itself goes on.
   */
  tenant(): Reactor {
    return new Reactor(undefined, this.#loop);
  }

  /** The epoll descriptor: readable itself while something registered is ready. */
  get fd(): number {
    return this.#loop.epoll.fd;
  }

  /** Monotonic milliseconds, read once per turn. */
  get nowMs(): number {
    return this.#loop.nowMs;
  }

  /** Other tenants wait, and the one that runs now has used up its share: a handler that goes on in a loop should stop. */
  get shareUsed(): boolean {
    return this.#loop.fair.shareUsed;
  }

  /** Others have had something to do lately: a handler should take small pieces, since it is not interrupted. */
  get inCompany(): boolean {
    return this.#tenant !== undefined && this.#loop.fair.inCompany;
  }

  /** Starts telling `handler` about `fd`: reading, writing and the peer's end, edge-triggered. */
  register(fd: number, handler: ReadinessHandler): void {
    const events = READABLE | WRITABLE | PEER_CLOSED | EDGE_TRIGGERED;
    this.#loop.register(fd, handler, events, this.#tenant);
  }

  /** Starts telling `handler` whenever `fd` is readable, again and again until it is drained: listeners and wake-ups. */
  registerReadable(fd: number, handler: ReadinessHandler): void {
    this.#loop.register(fd, handler, READABLE, this.#tenant);
  }

  /**
   * Tells `handler` from now on, instead of who was told until now; no system call. What has been told is not told again.
   * @throws MisuseError when `fd` is not registered
   */
  handOver(fd: number, handler: ReadinessHandler): void {
    this.#loop.handOver(fd, handler);
  }

  /** Stops telling; call before closing the descriptor. Events of this turn that are still to come are dropped. */
  unregister(fd: number): void {
    this.#loop.unregister(fd);
  }

  /**
   * As `unregister`, for an owner who closes the descriptor next: with the last descriptor of a socket its registration goes
   * by itself (epoll(7)). While a child process that is being started has a copy of it, events may still come; they are
   * dropped.
   */
  forget(fd: number): void {
    this.#loop.forget(fd);
  }

  /**
   * Runs `task` once, after the readiness of this turn, or at the end of the tenant's share: a place to send in one call what
   * many handlers wrote.
   */
  atEndOfTurn(task: TurnTask): void {
    this.#loop.endOfTurn.push(task);
  }

  /** Runs `task` in the next turn, which will not wait: for one who has used up his share of this turn. */
  inNextTurn(task: TurnTask): void {
    this.#loop.inNextTurn(task, this.#tenant);
  }

  setTimer(timer: Timer, delayMs: number): void {
    this.#loop.timers.set(timer, this.#loop.nowMs, delayMs);
  }

  cancelTimer(timer: Timer): void {
    this.#loop.timers.cancel(timer);
  }

  /** Turns until `stop`. @throws NamespaceTrapError when the thread stands in a namespace that it cannot leave */
  run(): void {
    while (!this.#loop.stopped) this.#loop.turn(MAX_WAIT_MS);
  }

  /** Makes `run` return after this turn. */
  stop(): void {
    this.#loop.stopped = true;
  }

  /**
   * One turn.
   * @param maxWaitMs wait at most this long for something to happen
   * @throws NamespaceTrapError when the thread stands in a namespace that it cannot leave
   */
  turn(maxWaitMs: number): void {
    this.#loop.turn(maxWaitMs);
  }

  /** Closes the epoll descriptor, or leaves it to the others. Registered descriptors belong to their owners. */
  close(): void {
    if (this.#tenant === undefined) {
      this.#loop.stopped = true;
      this.#loop.epoll.close();
    } else if (!this.#left) {
      this.#left = true;
      this.#loop.tenants--;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function runTasks(tasks: readonly TurnTask[]): void {
  for (const task of tasks) {
    try {
      task.run();
    } catch (error) {
      task.onFault(error);
    }
  }
}
