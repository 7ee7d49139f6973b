/** The names under which CA material is kept, and how its files become an authority. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { CaMaterialError } from './ca-material-error.ts';
import { SigningAuthority } from './signing-authority.ts';

/** File names to their content; absent files are absent. */
export type CaFiles = Readonly<Record<string, string>>;

/** Istio's names of a plugged-in CA, and those of a kubernetes.io/tls Secret, as cert-manager writes it. */
const layouts = [
  { certificate: 'ca-cert.pem', key: 'ca-key.pem', chain: 'cert-chain.pem', roots: 'root-cert.pem' },
  { certificate: 'tls.crt', key: 'tls.key', chain: 'tls.crt', roots: 'ca.crt' },
] as const;

/** Every file that a plugged-in CA may consist of. */
const pluggedInFileNames: readonly string[] = Array.from(
  new Set(layouts.flatMap(({ certificate, key, chain, roots }) => [certificate, key, chain, roots])),
);

/**
 * A plugged-in CA (`cacerts`); undefined if none of its files is there.
 *
 * @throws CaMaterialError `incomplete` if only some are: signing with another CA than the one that was meant to be
 *   plugged in would split the mesh
 */
export function readPluggedIn(files: CaFiles, place: string): SigningAuthority | undefined {
  const present = pluggedInFileNames.filter((name) => text(files, name) !== '');
  if (present.length === 0) return undefined;
  // The layout that most of the files belong to is the one that was meant; Istio's where they tie.
  const meant = layouts
    .map((layout) => ({
      layout,
      missing: [layout.certificate, layout.key, layout.roots, layout.chain].filter(
        (name) => text(files, name) === '',
      ),
    }))
    .sort((a, b) => a.missing.length - b.missing.length)[0]!;
  const { layout, missing } = meant;
  if (missing.length > 0)
    throw new CaMaterialError(
      'incomplete',
      `${place} lacks ${missing.join(', ')} (it has ${present.join(', ')}). Add what is missing, or remove all to have the control plane make a root of its own.`,
    );
  return SigningAuthority.read(
    {
      certificate: text(files, layout.certificate),
      key: text(files, layout.key),
      chain: text(files, layout.chain),
      roots: text(files, layout.roots),
    },
    place,
  );
}

/**
 * The CA of Secret `istio-ca-secret`, of which only the certificate and its key count, as in Istio.
 *
 * @throws CaMaterialError
 */
export function readSelfSigned(files: CaFiles, place: string): SigningAuthority {
  const certificate = text(files, 'ca-cert.pem');
  const key = text(files, 'ca-key.pem');
  if (certificate === '' || key === '')
    throw new CaMaterialError(
      'malformed',
      `${place} lacks ${certificate === '' ? 'ca-cert.pem' : 'ca-key.pem'}. Restore it from a backup, or delete the Secret: a control plane that has used it writes it anew.`,
    );
  return SigningAuthority.read({ certificate, key, chain: '', roots: certificate }, place);
}

/** Content of `istio-ca-secret`. Istio's control plane finds there what it expects. */
export function selfSignedFiles(authority: SigningAuthority): CaFiles {
  return {
    'ca-cert.pem': authority.certificatePem,
    'ca-key.pem': authority.keyPem,
    'root-cert.pem': authority.certificatePem,
    'cert-chain.pem': '',
    'key.pem': '',
  };
}

/** Files of a mounted folder. @throws CaMaterialError `malformed` if a file is there and cannot be read */
export async function readCaFolder(folder: string): Promise<CaFiles> {
  const files: Record<string, string> = {};
  for (const name of pluggedInFileNames)
    try {
      files[name] = await readFile(join(folder, name), 'utf8');
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
        continue;
      throw new CaMaterialError(
        'malformed',
        `${join(folder, name)} cannot be read. Check the mode of the mounted Secret (defaultMode, fsGroup).`,
        { cause },
      );
    }
  return files;
}

function text(files: CaFiles, name: string): string {
  return files[name]?.trim() ?? '';
}
