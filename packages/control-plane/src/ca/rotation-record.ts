/**
 * The rotation as it is kept in Secret `istio-ca-rotation`, so that it survives restarts and every replica agrees on who
 * signs. It holds keys: of whoever signs, will sign, and must still be able to revoke.
 */
import { splitPem } from '@ambient/identity';

import { CaMaterialError } from './ca-material-error.ts';
import type { CaFiles } from './ca-files.ts';
import type { TrustedRoot, TrustState } from './rotation.ts';
import { rootId, SigningAuthority } from './signing-authority.ts';

/** A rotation, and the last wish for one by hand that was heeded. */
export interface RotationRecord {
  readonly state: TrustState;
  readonly heededRequest: string;
}

interface StateJson {
  readonly version: number;
  readonly signing: string;
  readonly waiting?: { readonly id: string; readonly origin: 'generated' | 'offered' } | undefined;
  readonly retired: readonly { readonly id: string; readonly sinceMs: number }[];
  readonly roots: readonly { readonly id: string; readonly sinceMs: number }[];
  readonly heededRequest: string;
}

/** Content of the Secret. */
export function writeRotationRecord({ state, heededRequest }: RotationRecord): CaFiles {
  const { signing, waiting, retired, roots } = state;
  const json: StateJson = {
    version: 1,
    signing: signing.id,
    waiting: waiting === undefined ? undefined : { id: waiting.authority.id, origin: waiting.origin },
    retired: retired.map(({ authority, sinceMs }) => ({ id: authority.id, sinceMs })),
    roots: roots.map(({ id, sinceMs }) => ({ id, sinceMs })),
    heededRequest,
  };
  const files: Record<string, string> = {
    'state.json': `${JSON.stringify(json, undefined, 2)}\n`,
    'roots.pem': roots.map(({ pem }) => pem).join(''),
  };
  const authorities = [
    signing,
    ...(waiting ? [waiting.authority] : []),
    ...retired.map((it) => it.authority),
  ];
  for (const authority of authorities) {
    files[`${authority.id}.cert.pem`] = authority.certificatePem;
    files[`${authority.id}.key.pem`] = authority.keyPem;
    files[`${authority.id}.chain.pem`] = authority.intermediatesPem.join('');
    files[`${authority.id}.roots.pem`] = authority.rootsPem.join('');
  }
  return files;
}

/** @throws CaMaterialError `record-malformed` */
export function readRotationRecord(files: CaFiles, place: string): RotationRecord {
  try {
    const json = readState(files['state.json'] ?? '');
    const authority = (id: string): SigningAuthority => readAuthority(files, id, place);
    const pemOf = new Map(
      splitPem(files['roots.pem'] ?? '', 'CERTIFICATE').map((pem): [string, string] => [rootId(pem), pem]),
    );
    const roots = json.roots.map(({ id, sinceMs }): TrustedRoot => {
      const pem = pemOf.get(id);
      if (pem === undefined) throw new RecordError(`roots.pem lacks root ${id}`);
      return { id, pem, sinceMs };
    });
    const signing = authority(json.signing);
    if (!roots.some(({ id }) => id === signing.anchorId))
      throw new RecordError('the root of the signing authority is not among the roots');
    const waiting =
      json.waiting === undefined
        ? undefined
        : { authority: authority(json.waiting.id), origin: json.waiting.origin };
    const retired = json.retired.map(({ id, sinceMs }) => ({ authority: authority(id), sinceMs }));
    return { state: { signing, waiting, retired, roots }, heededRequest: json.heededRequest };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CaMaterialError(
      'record-malformed',
      `${place} was changed by hand or cut short (${reason}). Restore it from a backup; without one delete it, and the CA of cacerts or istio-ca-secret signs at once, without overlap.`,
      { cause },
    );
  }
}

/** What is wrong with the record; becomes part of the message of the CaMaterialError. */
class RecordError extends Error {
  override readonly name = 'RecordError';
  readonly code = 'rotation-record';
}

function readState(text: string): StateJson {
  const json = parseJson(text) as Partial<StateJson> | null;
  const isStage = (it: { id?: unknown; sinceMs?: unknown }): boolean =>
    typeof it.id === 'string' && typeof it.sinceMs === 'number' && Number.isFinite(it.sinceMs);
  if (json === null || typeof json !== 'object') throw new RecordError('state.json is no object');
  const { version, signing, waiting, retired, roots, heededRequest } = json;
  if (version !== 1) throw new RecordError(`state.json has version ${String(version)}, known is 1`);
  if (
    typeof signing !== 'string' ||
    typeof heededRequest !== 'string' ||
    !Array.isArray(retired) ||
    !retired.every(isStage) ||
    !Array.isArray(roots) ||
    !roots.every(isStage) ||
    (waiting !== undefined &&
      (typeof waiting.id !== 'string' || !['generated', 'offered'].includes(waiting.origin)))
  )
    throw new RecordError('state.json has not the fields that it must have');
  return { version, signing, waiting, retired, roots, heededRequest };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without its cause, which would quote the text: it stands among keys.
    throw new RecordError('state.json is no JSON');
  }
}

function readAuthority(files: CaFiles, id: string, place: string): SigningAuthority {
  const file = (name: string): string => files[`${id}.${name}.pem`] ?? '';
  const authority = SigningAuthority.read(
    { certificate: file('cert'), key: file('key'), chain: file('chain'), roots: file('roots') },
    `${place}, authority ${id}`,
  );
  if (authority.id !== id) throw new RecordError(`${id}.cert.pem is another certificate, ${authority.id}`);
  return authority;
}
