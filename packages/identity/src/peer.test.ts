import { readFileSync } from 'node:fs';

import { expect } from 'chai';

/** Every module that a file loads when it runs, through its own relative imports. */
function loads(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(new URL(file, import.meta.url), 'utf8');
  for (const [, specifier] of source.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm))
    if (specifier!.startsWith('./')) loads(specifier!, seen);
    else seen.add(specifier!);
  return seen;
}

describe('entry for data workers', () => {
  it('loads pure modules of this package only', () => {
    const modules = [...loads('./peer.ts')];
    expect(modules).to.include('./verify-peer.ts').and.include('./der.ts');
    expect(modules.filter((name) => !name.startsWith('./'))).to.deep.equal([]);
  });

  it('leaves gRPC and ASN.1 libraries to the moment they are used, on the main thread too', () => {
    const libraries = [...loads('./index.ts')].filter((name) => !/^(\.\/|node:)/.test(name));
    // csr.ts and the throwaway CA import node-forge when they sign, the transport gRPC when it calls.
    expect(libraries).to.deep.equal(['@ambient/runtime']);
  });
});
