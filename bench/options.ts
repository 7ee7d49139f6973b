import { knownNames, parseArguments, UsageError, wholeNumber } from './arguments.ts';
import { measures } from './measures/index.ts';

export const usage = `usage: npm run bench -- [options]
       npm run bench -- control-plane [options]
       npm run bench -- node [options]
  --quick                one short round of each measure, without the soak
  --only NAME[,NAME]     these measures only: ${measures.map(({ name }) => name).join(', ')}
  --columns NAME[,NAME]  these columns only: direct, haproxy, ours, and the names of peers
  --peer NAME=COMMAND    one more column: a proxy that takes Istio's ztunnel settings; may be repeated
  --ours COMMAND         run this as our proxy instead of the one in this tree
  --rounds N             rounds of each measure, whose medians are shown (default 3)
  --seconds N            length of one run of a load (default 5)
  --soak-minutes N       length of the soak (default 10)
  --congestion-control NAME
                         of TCP, in all columns: reno, or another that the kernel allows (default: the machine's)
  --output DIRECTORY     where results go (default bench/results)`;

export interface Peer {
  readonly name: string;
  readonly command: string;
}

export interface Options {
  readonly quick: boolean;
  /** undefined: all that the effort allows. */
  readonly only: readonly string[] | undefined;
  readonly columns: readonly string[] | undefined;
  readonly peers: readonly Peer[];
  readonly ours: string | undefined;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly soakMinutes: number;
  /** undefined: the machine's. */
  readonly congestionControl: string | undefined;
  readonly output: string | undefined;
}

/** @throws UsageError */
export function parseOptions(argv: readonly string[]): Options {
  const values = parseArguments(argv, {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    columns: { type: 'string' },
    peer: { type: 'string', multiple: true, default: [] },
    ours: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    'soak-minutes': { type: 'string' },
    'congestion-control': { type: 'string' },
    output: { type: 'string' },
  });
  const { quick } = values;
  const peers = values.peer.map(parsePeer);
  return {
    quick,
    only: names(
      'only',
      values.only,
      measures.map(({ name }) => name),
    ),
    columns: names('columns', values.columns, [
      'direct',
      'haproxy',
      'ours',
      ...peers.map(({ name }) => name),
    ]),
    peers,
    ours: values.ours,
    rounds: positive('rounds', values.rounds, quick ? 1 : 3),
    seconds: positive('seconds', values.seconds, quick ? 2 : 5),
    warmSeconds: quick ? 1 : 2,
    soakMinutes: positive('soak-minutes', values['soak-minutes'], 10),
    congestionControl: values['congestion-control'],
    output: values.output,
  };
}

function parsePeer(text: string): Peer {
  const [, name, command] = /^([a-z][a-z0-9-]*)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || command === undefined)
    throw new UsageError(`--peer ${text}: give a name in lower case, =, and a command`);
  if (['direct', 'haproxy', 'ours'].includes(name))
    throw new UsageError(`--peer ${text}: that name is taken`);
  return { name, command };
}

function names(option: string, text: string | undefined, known: readonly string[]) {
  return text === undefined ? undefined : knownNames(option, text, known);
}

function positive(option: string, text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : wholeNumber(option, text);
}
