import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { HboneError, hboneFailures, refusedError } from '@ambient/hbone';
import type { HboneFailure } from '@ambient/hbone';
import { HTTP2_REASONS, Http2Error } from '@ambient/http';
import type { Http2Reason } from '@ambient/http';
import { SystemError } from '@ambient/linux';
import { TlsError, tlsFailures } from '@ambient/tls';
import type { TlsFailure } from '@ambient/tls';
import { expect } from 'chai';
import type { ProxyFailure, Reason } from '../connections/failure.ts';
import { ProxyError, proxyFailures, reasonOf } from '../connections/failure.ts';
import { pagePath } from '@ambient/runtime/docs';
import { reasonsPage } from './print-reasons.ts';
import type { DocumentedReason, ReasonRow } from './reason-tables.ts';
import { reasonTables } from './reason-tables.ts';

/** The compiler's part of the proof: `reasonOf` returns nothing that neither a table nor errno(3) explains. */
const complete: [Exclude<Reason, DocumentedReason | `E${string}`>] extends [never] ? true : false = true;

const rows: [string, ReasonRow][] = reasonTables.flatMap((table) => Object.entries<ReasonRow>(table.rows));

/** Codes of the first column, as a reader finds them. */
function codesIn(page: string): string[] {
  return [...page.matchAll(/^\| `([^`]+)` /gm)].map(([, code]) => code!);
}

describe('docs/reasons.md', () => {
  it('is what the tables say', () => {
    expect(readFileSync(pagePath(reasonsPage), 'utf8'), 'run `npm run docs:reasons`').equal(
      reasonsPage.render(),
    );
  });

  it('has every code, once', () => {
    const codes = codesIn(reasonsPage.render());
    expect(codes).to.have.members([...new Set(rows.map(([code]) => code))]);
    expect(complete).equal(true);
  });

  it('gives no code two meanings', () => {
    const meanings = new Map<string, string>();
    for (const [code, { meaning, remedy }] of rows) {
      const text = `${meaning}; ${remedy}`;
      expect(meanings.get(code) ?? text, code).equal(text);
      meanings.set(code, text);
    }
  });

  it('says what it means and what to do, in words of its own', () => {
    for (const [code, { meaning, remedy }] of rows) {
      expect(meaning, code).to.match(/^[^A-Z].{10,}[^.]$|^[A-Z]{2,}/);
      expect(remedy, code).to.match(/.{10,}[^.]$/);
      expect(remedy, code).not.equal(meaning);
    }
  });

  it('names errnos that Linux has', () => {
    const names = rows.map(([code]) => code).filter((code) => /^E[A-Z]+$/.test(code));
    expect(names).to.include('ECONNREFUSED');
    expect(Object.keys(constants.errno)).to.include.members(names);
  });

  it('explains what the errors of every layer are logged as', () => {
    const documented = new Set(codesIn(reasonsPage.render()));
    const keys = <Key extends string>(table: Record<Key, unknown>): Key[] => Object.keys(table) as Key[];
    const causes = [
      ...keys<Http2Reason>(HTTP2_REASONS).map((reason) => new Http2Error(reason, '')),
      ...keys<TlsFailure>(tlsFailures).map((code) => new TlsError(code, '')),
      new SystemError('connect', constants.errno.ECONNREFUSED),
      new Error('a cause of no known kind'),
      undefined,
    ];
    const failures = keys<HboneFailure>(hboneFailures);
    const errors: Error[] = [
      ...keys<ProxyFailure>(proxyFailures as Record<ProxyFailure, unknown>).map(
        (code) => new ProxyError(code, 'what'),
      ),
      ...failures.flatMap((code) => causes.map((cause) => new HboneError(code, 'what', { cause }))),
      ...[400, 401, 403, 503, 599].map(refusedError),
      new SystemError('send', constants.errno.EPIPE),
      new Error('of no known kind'),
    ];
    for (const error of errors) expect(documented, error.message).to.include(reasonOf(error));
  });
});

describe('texts of errors', () => {
  it('end with the remedy, once', () => {
    const remedies = (text: string, remedy: string): number => text.split(remedy).length - 1;
    for (const [code, { remedy }] of Object.entries(proxyFailures))
      expect(remedies(new ProxyError(code as ProxyFailure, 'what').message, remedy), code).equal(1);
    for (const [code, { remedy }] of Object.entries(hboneFailures)) {
      const failure = code as HboneFailure;
      expect(remedies(new HboneError(failure, 'what').message, remedy), code).equal(1);
      // A cause that names an exact reason brings its own remedy.
      const cause = new TlsError('not-tls', 'what');
      expect(new HboneError(failure, cause.message, { cause }).message).equal(cause.message);
    }
    expect(refusedError(401).message).match(/^the peer answered 401: .*policies deny.*; .*policy/);
    expect(refusedError(599).message).equal(`the peer answered 599; ${hboneFailures.refused.remedy}`);
  });
});
