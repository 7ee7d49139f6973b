/**
 * HTTP requests without an end, over connections that are kept for a while and over new ones, each by name anew. `--url`,
 * `--lanes` of each kind (default 2), `--pause-ms` between the requests of a lane (default 20), `--timeout-ms` (default
 * 10000). Each request that fails is a JSON line at once (`failure`); a line with the sums follows twice a second.
 */
import { Agent, request } from 'node:http';
import { programOptions, report } from './program.ts';

const options = programOptions(['url', 'lanes', 'pause-ms', 'timeout-ms']);
const url = options.text('url');
const lanes = options.number('lanes', 2);
const pauseMs = options.number('pause-ms', 20);
const timeoutMs = options.number('timeout-ms', 10_000);
/** A connection that is kept ends after so many requests, as those of well-behaved clients do at times. */
const REQUESTS_PER_CONNECTION = 50;
const REPORT_INTERVAL_MS = 500;

const sums = { answers: 0, failures: 0, connections: 0, slowestMs: 0 };

function ask(agent: Agent): Promise<string | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(() => call.destroy(new Error('no answer in time')), timeoutMs);
    const end = (failure: string | undefined): void => {
      clearTimeout(late);
      resolve(failure);
    };
    const fail = (error: NodeJS.ErrnoException): void => end(error.code ?? error.message);
    const call = request(url, { agent }, (response) => {
      response.resume();
      response.on('error', fail);
      response.on('end', () => {
        const { statusCode = 0, complete } = response;
        end(!complete ? 'cut short' : statusCode === 200 ? undefined : `status ${statusCode}`);
      });
    });
    call.on('error', fail);
    call.end();
  });
}

async function run(kind: string, perConnection: number): Promise<never> {
  for (;;) {
    const agent = new Agent({ keepAlive: perConnection > 1, maxSockets: 1 });
    sums.connections += 1;
    for (let count = 1; count <= perConnection; count += 1) {
      const startedMs = performance.now();
      const failure = await ask(agent);
      const tookMs = Math.round(performance.now() - startedMs);
      sums.slowestMs = Math.max(sums.slowestMs, tookMs);
      if (failure === undefined) sums.answers += 1;
      else {
        sums.failures += 1;
        const at = new Date().toISOString();
        report({ failure: `${kind}, request ${count}: ${failure} after ${tookMs} ms`, at });
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    agent.destroy();
  }
}

process.on('SIGTERM', () => process.exit(0));
setInterval(() => {
  report(sums);
  sums.slowestMs = 0;
}, REPORT_INTERVAL_MS);
for (let lane = 0; lane < lanes; lane += 1) {
  void run('new connection', 1);
  void run('kept connection', REQUESTS_PER_CONNECTION);
}
