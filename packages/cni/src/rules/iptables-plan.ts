import type { IptablesTable } from './iptables-text.ts';

/** What `iptables-save` shows of chains that belong to us, and of the lines that lead there; other people's rules are left out. */
export interface OwnLines {
  readonly table: string;
  /** Chains of ours that exist. */
  readonly chains: readonly string[];
  /** `-A …` lines in other chains that jump to ours, in order. */
  readonly jumps: readonly string[];
  /** `-A …` lines of our chains, in order. */
  readonly rules: readonly string[];
}

/** Chains of ours begin so; nobody else's do in a pod without a sidecar, nor on a node. */
const OWN_CHAIN = /^ISTIO_(PRERT|OUTPUT|POSTRT)$/;
const RULE = /^-A (?<chain>[^\s-]\S*)(?: (?:.* )?-[jg] (?<target>\S+))?/;
/** A comment may hold anything, also what looks like a jump. */
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** Reads the output of `iptables-save`. Lines that it does not know are somebody else's. */
export function readOwnLines(saved: string): readonly OwnLines[] {
  const tables: { table: string; chains: string[]; jumps: string[]; rules: string[] }[] = [];
  for (const line of saved.split('\n')) {
    const current = tables.at(-1);
    if (line.startsWith('*')) tables.push({ table: line.slice(1).trim(), chains: [], jumps: [], rules: [] });
    else if (current === undefined) continue;
    else if (line.startsWith(':')) {
      const chain = line.slice(1).split(' ', 1)[0]!;
      if (OWN_CHAIN.test(chain)) current.chains.push(chain);
    } else {
      const { chain = '', target = '' } = RULE.exec(line.replaceAll(QUOTED, '""'))?.groups ?? {};
      if (OWN_CHAIN.test(chain)) current.rules.push(line.trimEnd());
      else if (OWN_CHAIN.test(target)) current.jumps.push(line.trimEnd());
    }
  }
  return tables.filter(({ chains, jumps }) => chains.length + jumps.length > 0);
}

/**
 * Input for `iptables-restore --noflush` that leaves exactly `wanted` of ours, whatever of it is there already, and does
 * not touch anybody else's rules. Each table changes at once. Empty: there is nothing to do.
 *
 * Tables come in the order of `wanted`; those of which nothing is wanted come first.
 */
export function renderRestore(present: readonly OwnLines[], wanted: readonly IptablesTable[]): string {
  const unwanted = present.filter(({ table }) => !wanted.some((other) => other.table === table));
  return [
    ...unwanted.map((own) => [`*${own.table}`, ...removal(own), 'COMMIT', '']),
    ...wanted.map((table) => {
      const own = present.find((other) => other.table === table.table);
      return [
        `*${table.table}`,
        ...(own === undefined ? [] : removal(own)),
        ...table.chains.map((chain) => `-N ${chain}`),
        ...table.rules,
        ...table.jumps.map(({ from, to, first }) =>
          first ? `-I ${from} 1 -j ${to}` : `-A ${from} -j ${to}`,
        ),
        'COMMIT',
        '',
      ];
    }),
  ]
    .map((lines) => lines.join('\n'))
    .join('');
}

function removal({ chains, jumps }: OwnLines): string[] {
  return [
    ...jumps.map((line) => line.replace(/^-A /, '-D ')),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
  ];
}

/** One line per chain, jump and rule of ours, to compare two namespaces by; the same for the same rules. */
export function ownLinesAsText(own: readonly OwnLines[]): readonly string[] {
  return own
    .map(({ table, chains, jumps, rules }) => [
      ...[...chains].sort().map((chain) => `${table}: -N ${chain}`),
      ...jumps.map((line) => `${table}: ${line}`),
      // The order of chains in a listing says nothing, that of rules within a chain does.
      ...[...chains]
        .sort()
        .flatMap((chain) => rules.filter((line) => line.startsWith(`-A ${chain} `)))
        .map((line) => `${table}: ${line}`),
    ])
    .sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
    .flat();
}
