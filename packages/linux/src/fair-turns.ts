import type { TurnTask } from './reactor.ts';

/** What each tenant may use of a turn before the next one has its share. */
const SHARE_MS = 0.1;
/** Those who wait for another share get this much of a turn together, then what has become ready meanwhile is looked at. */
const BACKLOG_MS = 0.1;
/** A tenant that had something to do this lately may have something again. */
const COMPANY_MS = 10_000;
/** What was used counts half after this time, for the order in which tenants have their shares. */
const HALF_LIFE_MS = 20;

/** One of those who share a thread: in a node proxy, a pod. */
export class Tenant {
  /** @internal in order, from `next` on */
  readonly jobs: TurnTask[] = [];
  /** @internal */ next = 0;
  /** @internal waits in one of the two lists */
  queued = false;
  /** @internal what is left of its shares; negative after a job that took longer, which it has to make up for */
  creditMs = SHARE_MS;
  /** @internal the idle moment since which `creditMs` counts */
  epoch = 0;
  /** @internal what it has used lately, as of `usedAtMs` */
  usedMs = 0;
  /** @internal */ usedAtMs = 0;
}

/**
 * Divides a thread between tenants by time (deficit round robin, Shreedhar and Varghese 1995; that who has little to do goes
 * first is of fq_codel, RFC 8290, section 4.1): a tenant with a thousand things to do is passed by one with a single thing.
 */
export class FairTurns {
  /** Have come since the last turn, and had nothing waiting. */
  #fresh: Tenant[] = [];
  /** Have used up a share and have more to do, who waits longest first. */
  #backlog: Tenant[] = [];
  #epoch = 0;
  #shareEndsMs = Infinity;
  #last: Tenant | undefined;
  /** When a share went to another tenant than the one before. */
  #changedMs = -Infinity;
  readonly #nowMs: () => number;
  readonly #endShare: () => void;

  /**
   * @param nowMs monotonic
   * @param endShare sends what the tenant has written: at the end of its share, so that it is part of it, and so that who goes
   *   first does not wait for what others write
   */
  constructor(nowMs: () => number, endShare: () => void) {
    this.#nowMs = nowMs;
    this.#endShare = endShare;
  }

  /** Somebody waits for another share. */
  get pending(): boolean {
    return this.#backlog.length > 0 || this.#fresh.length > 0;
  }

  /** Whoever runs now has used up its share: a job that can stop in the middle should. */
  get shareUsed(): boolean {
    return this.#shareEndsMs !== Infinity && this.#nowMs() >= this.#shareEndsMs;
  }

  /** Others have had something to do lately: a job should be no longer than it must, since nobody can interrupt it. */
  get inCompany(): boolean {
    return this.#nowMs() - this.#changedMs < COMPANY_MS;
  }

  /** Nobody had anything to do: what was used up before is forgotten. */
  onIdle(): void {
    this.#epoch++;
  }

  /** Queues a job behind the others of its tenant. @param urgent it has just become ready, and is not the rest of a job */
  add(tenant: Tenant, job: TurnTask, urgent: boolean): void {
    tenant.jobs.push(job);
    if (tenant.queued) return;
    tenant.queued = true;
    if (tenant.epoch !== this.#epoch) {
      tenant.epoch = this.#epoch;
      tenant.creditMs = SHARE_MS;
    }
    (urgent && tenant.creditMs > 0 ? this.#fresh : this.#backlog).push(tenant);
  }

  /** Gives a share to each who had nothing waiting before this turn, first to whom has used least lately. */
  runFresh(): void {
    if (this.#fresh.length === 0) return;
    const fresh = this.#fresh;
    this.#fresh = [];
    let nowMs = this.#nowMs();
    if (fresh.length > 1) {
      for (const tenant of fresh) fade(tenant, nowMs);
      fresh.sort((a, b) => a.usedMs - b.usedMs);
    }
    for (const tenant of fresh) nowMs = this.#runShare(tenant, nowMs);
  }

  /** Gives shares to those who wait, in turn. */
  runBacklog(): void {
    if (this.#backlog.length === 0) return;
    let nowMs = this.#nowMs();
    const endMs = nowMs + BACKLOG_MS;
    while (this.#backlog.length > 0 && nowMs < endMs) {
      const tenant = this.#backlog.shift()!;
      tenant.creditMs = Math.min(SHARE_MS, tenant.creditMs + SHARE_MS);
      if (tenant.creditMs > 0) nowMs = this.#runShare(tenant, nowMs);
      else this.#backlog.push(tenant);
    }
  }

  /** @returns the time afterwards */
  #runShare(tenant: Tenant, startMs: number): number {
    const { jobs } = tenant;
    if (tenant !== this.#last) {
      if (this.#last !== undefined) this.#changedMs = startMs;
      this.#last = tenant;
    }
    this.#shareEndsMs = startMs + tenant.creditMs;
    let nowMs = startMs;
    while (tenant.next < jobs.length && nowMs < this.#shareEndsMs) {
      const job = jobs[tenant.next++]!;
      try {
        job.run();
      } catch (error) {
        job.onFault(error);
      }
      nowMs = this.#nowMs();
    }
    this.#endShare();
    nowMs = this.#nowMs();
    this.#shareEndsMs = Infinity;
    tenant.creditMs -= nowMs - startMs;
    fade(tenant, nowMs);
    tenant.usedMs += nowMs - startMs;
    if (tenant.next < jobs.length) {
      this.#backlog.push(tenant);
      if (tenant.next > 1024) jobs.splice(0, tenant.next);
      else return nowMs;
    } else {
      tenant.queued = false;
      jobs.length = 0;
    }
    tenant.next = 0;
    return nowMs;
  }
}

/** Brings `usedMs` up to date. */
function fade(tenant: Tenant, nowMs: number): void {
  tenant.usedMs *= 2 ** ((tenant.usedAtMs - nowMs) / HALF_LIFE_MS);
  tenant.usedAtMs = nowMs;
}
