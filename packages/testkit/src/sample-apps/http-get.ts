/**
 * One HTTP GET, told as one JSON line, as curl would show it. `--url`, `--timeout-ms` (default 5000), `--retry-until
 * STATUS` with `--deadline-ms` repeats until that status comes: for readiness.
 */
import { request } from 'node:http';
import { programOptions, report } from './program.ts';

const options = programOptions(['url', 'method', 'timeout-ms', 'retry-until', 'deadline-ms']);
const wanted = options.number('retry-until', 0);
const RETRY_MS = 20;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly error: string | null;
}

function get(): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException): void =>
      resolve({ status: 0, headers: {}, body: '', error: error.code ?? error.message });
    const call = request(
      options.text('url'),
      { agent: false, method: options.text('method', 'GET'), timeout: options.number('timeout-ms', 5000) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, error: null });
        });
      },
    );
    call.on('timeout', () =>
      call.destroy(Object.assign(new Error('no answer in time'), { code: 'TIMEOUT' })),
    );
    call.on('error', fail);
    call.end();
  });
}

const started = performance.now();
const deadline = started + options.number('deadline-ms', 10_000);
let answer = await get();
while (wanted !== 0 && answer.status !== wanted && performance.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  answer = await get();
}
report({ ...answer, ms: Math.round(performance.now() - started) });
