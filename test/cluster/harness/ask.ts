import { waitThroughFailures } from '@ambient/testkit/lab';
import { execIn } from './command.ts';

/** What the programs `http-get` and `exchange-client` tell. */
export interface HttpAnswer {
  readonly status: number;
  readonly error: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** One HTTP request from a pod, on a connection of its own. */
export async function httpGet(namespace: string, workload: string, url: string): Promise<HttpAnswer> {
  const printed = await execIn(namespace, `deployment/${workload}`, [
    'node',
    '/app/http-get.ts',
    '--url',
    url,
    '--timeout-ms',
    '8000',
  ]);
  return JSON.parse(printed) as HttpAnswer;
}

/** Asks until the answer is as wished: policies reach the proxies within a moment, not at once. */
export function httpGetUntil(
  namespace: string,
  workload: string,
  url: string,
  what: string,
  wish: (answer: HttpAnswer) => boolean,
): Promise<HttpAnswer> {
  let last: HttpAnswer | undefined;
  return waitThroughFailures(
    async () => {
      last = await httpGet(namespace, workload, url);
      return wish(last) ? last : undefined;
    },
    `answer "${what}" from ${url} to ${namespace}/${workload}`,
    20_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; the last answer: ${JSON.stringify(last)}`, { cause: error });
  });
}

/** Evaluates an expression, which may await, in a pod, and tells its value. */
export async function evaluate<T>(namespace: string, workload: string, expression: string): Promise<T> {
  const program = `console.log(JSON.stringify(${expression}))`;
  const printed = await execIn(namespace, `deployment/${workload}`, [
    'node',
    '--input-type=module',
    '--eval',
    program,
  ]);
  return JSON.parse(printed) as T;
}
