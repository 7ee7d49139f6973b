import { CaError, WorkloadCertificate } from '@ambient/identity';
import type { CertificateAuthority } from '@ambient/identity';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { recordingLog } from '../testing/log-lines.ts';
import { RestoringAuthority } from './restoring-authority.ts';

const identity = { trustDomain: 'cluster.local', namespace: 'a', serviceAccount: 'web' };
const spiffe = 'spiffe://cluster.local/ns/a/sa/web';

function certificate(serialNumber: string, notAfterMs = 10_000): WorkloadCertificate {
  return new WorkloadCertificate({
    identity,
    certificateChainPem: [],
    privateKeyPem: '',
    rootsPem: [],
    serialNumber,
    notBeforeMs: 0,
    notAfterMs,
  });
}

function setup(restored: WorkloadCertificate | undefined = certificate('restored')) {
  const clock = new ManualClock(0);
  const { log, lines } = recordingLog('ca');
  const calls: (PromiseWithResolvers<WorkloadCertificate> & { signal: AbortSignal })[] = [];
  const ca: CertificateAuthority = {
    fetch(_identity, signal) {
      const call = { ...Promise.withResolvers<WorkloadCertificate>(), signal: signal! };
      calls.push(call);
      return call.promise;
    },
    close: () => undefined,
  };
  const authority = new RestoringAuthority({
    authority: ca,
    restored: () => Promise.resolve(restored && new Map([[spiffe, restored]])),
    patienceMs: 3000,
    clock,
    log,
  });
  const outcome = (signal?: AbortSignal): Promise<string> =>
    authority.fetch(identity, signal).then(
      ({ serialNumber }) => serialNumber,
      (error: Error & { code?: string }) => error.code ?? error.message,
    );
  return { clock, lines, calls, outcome };
}

describe('RestoringAuthority', () => {
  it('takes what the CA gives, if it gives it in time', async () => {
    const { outcome, calls, clock, lines } = setup();
    const fetched = outcome();
    clock.advance(2999);
    calls[0]!.resolve(certificate('fresh'));
    expect([await fetched, lines, clock.pendingTimers]).deep.equal(['fresh', [], 0]);
  });

  for (const code of ['ca-unreachable', 'ca-connect-timeout', 'ca-timeout'] as const)
    it(`takes the restored one, once, when the CA is away: ${code}`, async () => {
      const { outcome, calls, lines, clock } = setup();
      const fetched = outcome();
      calls[0]!.reject(new CaError(code, 'away'));
      expect(await fetched).equal('restored');
      expect(lines[0]).match(/^warn.*certificate of the last process is used.*sa\/web.*away/);
      const renewal = outcome();
      calls[1]!.reject(new CaError(code, 'away'));
      expect([await renewal, clock.pendingTimers]).deep.equal([code, 0]);
    });

  it('takes it when the CA is silent, and gives up the call', async () => {
    const { outcome, calls, clock } = setup();
    const fetched = outcome();
    clock.advance(3000);
    expect(await fetched).equal('restored');
    expect(calls[0]!.signal.aborted).equal(true);
    calls[0]!.reject(new CaError('ca-cancelled', 'given up'));
  });

  for (const code of ['ca-permission-denied', 'ca-unauthenticated', 'ca-server-untrusted'] as const)
    it(`goes by the CA's word when it refuses: ${code}`, async () => {
      const { outcome, calls } = setup();
      const fetched = outcome();
      calls[0]!.reject(new CaError(code, 'no'));
      expect(await fetched).equal(code);
    });

  it('waits for a silent CA if nothing was restored', async () => {
    const { outcome, calls, clock } = setup(certificate('ended', -1));
    const fetched = outcome();
    clock.advance(3000);
    await new Promise(setImmediate);
    calls[0]!.resolve(certificate('fresh'));
    expect(await fetched).equal('fresh');
  });

  it('passes on that nobody wants it any more', async () => {
    const { outcome, calls } = setup();
    const abort = new AbortController();
    const fetched = outcome(abort.signal);
    abort.abort();
    expect(calls[0]!.signal.aborted).equal(true);
    calls[0]!.reject(new CaError('ca-timeout', 'gone'));
    expect(await fetched).equal('ca-timeout');
  });
});
