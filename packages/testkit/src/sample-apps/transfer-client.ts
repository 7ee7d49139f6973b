/**
 * Sends and receives a checked stream, both ways at once. `--host --port --up BYTES --down BYTES`, `--streams N` of that
 * each. Prints one JSON line: ok, bytes, mismatches, milliseconds. Exit code 1 if a byte was wrong or missing.
 */
import { connect } from 'node:net';
import { programOptions, report } from './program.ts';
import { PatternCheck } from './pattern.ts';
import { sendPattern } from './send-pattern.ts';

const options = programOptions(['host', 'port', 'up', 'down', 'streams']);
const up = options.number('up', 0);
const down = options.number('down', 0);

interface Outcome {
  readonly received: number;
  readonly mismatchAt: number | null;
  readonly farReceived: number;
  readonly farMismatchAt: number | null;
  readonly error: string | null;
}

function transfer(): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: options.text('host'), port: options.number('port'), noDelay: true });
    const check = new PatternCheck();
    let verdict = '';
    let failure: string | null = null;
    socket.on('connect', () => {
      socket.write(`${up} ${down}\n`);
      void sendPattern(socket, up);
    });
    socket.on('data', (chunk: Buffer) => {
      const ours = chunk.subarray(0, Math.max(0, down - check.received));
      check.accept(ours);
      if (ours.length < chunk.length) verdict += chunk.toString('latin1', ours.length);
    });
    socket.on('end', () => socket.end());
    socket.on('error', (error) => (failure = error.message));
    socket.on('close', () => {
      const far = verdict.endsWith('\n')
        ? (JSON.parse(verdict) as { received: number; mismatchAt: number | null })
        : { received: -1, mismatchAt: null };
      resolve({
        received: check.received,
        mismatchAt: check.mismatchAt ?? null,
        farReceived: far.received,
        farMismatchAt: far.mismatchAt,
        error: failure,
      });
    });
  });
}

const started = performance.now();
const outcomes = await Promise.all(Array.from({ length: options.number('streams', 1) }, transfer));
const bad = outcomes.filter(
  (one) =>
    one.error !== null ||
    one.received !== down ||
    one.farReceived !== up ||
    one.mismatchAt !== null ||
    one.farMismatchAt !== null,
);
report({
  ok: bad.length === 0,
  streams: outcomes.length,
  up,
  down,
  ms: Math.round(performance.now() - started),
  failures: bad.slice(0, 5),
});
process.exitCode = bad.length === 0 ? 0 : 1;
