import type { NetworkNamespace } from '@ambient/linux';
import type { RuleBackend } from './backend.ts';
import { runCommand } from './commands.ts';
import { nftTables, renderNftPodRules, renderNftRemoval } from './nft-text.ts';
import type { PodCapture } from './pod-capture.ts';

/** Rules kept by nftables itself. */
export class NftBackend implements RuleBackend {
  readonly name = 'nft';
  readonly #program: string;

  constructor(program = 'nft') {
    this.#program = program;
  }

  async install(namespace: NetworkNamespace, capture: PodCapture): Promise<void> {
    const input = renderNftPodRules(capture);
    await runCommand('set the nftables rules', [this.#program, '-f', '-'], { namespace, input });
  }

  async uninstall(namespace: NetworkNamespace): Promise<void> {
    const input = renderNftRemoval();
    await runCommand('remove the nftables rules', [this.#program, '-f', '-'], { namespace, input });
  }

  async list(namespace: NetworkNamespace): Promise<readonly string[]> {
    const argv = [this.#program, '-s', 'list', 'ruleset'] as const;
    return readOwnTables(await runCommand('list the nftables rules', [...argv], { namespace }));
  }
}

const ownTables = new Set(Object.values(nftTables).map((name) => `table inet ${name} {`));

/** The lines of our tables in a ruleset, sorted by table, without indentation. */
function readOwnTables(ruleset: string): readonly string[] {
  const tables: string[][] = [];
  let table: string[] | undefined;
  for (const line of ruleset.split('\n')) {
    if (ownTables.has(line)) tables.push((table = []));
    if (table !== undefined && line.trim() !== '') table.push(line.trim());
    if (line === '}') table = undefined;
  }
  return tables.sort((a, b) => (a[0]! < b[0]! ? -1 : 1)).flat();
}
