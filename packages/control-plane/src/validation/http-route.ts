import type { FieldReader } from './field-reader.ts';
import { quote } from './field-reader.ts';
import { duration, headerName, portNumber } from './field-values.ts';
import { destination, weights } from './route-destination.ts';

/** One `spec.http[]` of a VirtualService. */
export function httpRoute(route: FieldReader, { isDelegate }: { readonly isDelegate: boolean }): void {
  if (!route.isObject()) return;
  for (const match of route.at('match').items()) httpMatch(match);
  const destinations = route.at('route').items();
  const redirect = route.at('redirect');
  const direct = route.at('directResponse');
  const to = route.at('delegate');
  const answers = [
    ...(destinations.length > 0 ? ['route'] : []),
    ...[redirect, direct, to].filter((field) => field.present).map((field) => field.path.split('.').at(-1)!),
  ];
  if (answers.length === 0) route.error('must have one of route, redirect, directResponse and delegate');
  else if (answers.length > 1) route.error(`only one of ${answers.join(', ')} may be set`);
  if (isDelegate && to.present) to.error('a VirtualService that others delegate to may not delegate');
  if (to.isObject('optional')) to.at('name').required();
  for (const item of destinations) {
    if (!item.isObject()) continue;
    destination(item.at('destination'));
    headerOperations(item.at('headers'));
  }
  weights(destinations);
  redirection(redirect, route);
  if (direct.isObject('optional')) {
    if (!direct.at('status').present) direct.at('status').error('must be set');
    direct.at('status').integer(200, 599);
    direct.at('body').choice(['string', 'bytes'], 'at most one');
  }
  if (route.at('rewrite').isObject('optional')) rewrite(route.at('rewrite'));
  // 0s turns a timeout off.
  duration(route.at('timeout'), 0);
  retries(route.at('retries'));
  fault(route.at('fault'));
  mirrors(route);
  cors(route.at('corsPolicy'));
  headerOperations(route.at('headers'));
}

function httpMatch(match: FieldReader): void {
  if (!match.isObject()) return;
  for (const name of ['uri', 'scheme', 'method', 'authority']) stringMatch(match.at(name));
  for (const name of ['headers', 'withoutHeaders'])
    for (const [header, value] of match.at(name).entries()) {
      headerName(value, header.replace(/^@request\.auth\.claims[.[].*$/, 'claim'));
      stringMatch(value);
    }
  for (const [, value] of match.at('queryParams').entries()) stringMatch(value);
  portNumber(match.at('port'));
  match.at('ignoreUriCase').boolean();
  if (match.at('sourceLabels').present)
    match
      .at('sourceLabels')
      .warning('a waypoint does not know the labels of callers, so this match is left out');
}

/** exact, prefix or regex; none of them asks only for presence. */
function stringMatch(field: FieldReader): void {
  if (!field.isObject('optional')) return;
  const kind = field.choice(['exact', 'prefix', 'regex'], 'at most one');
  if (kind === undefined) return;
  const text = field.at(kind).string();
  if (text === '' && kind !== 'exact') field.at(kind).error('must have a character');
  if (kind === 'regex' && text !== undefined) regex(field.at(kind), text);
}

/** RE2, as far as JavaScript can tell: both know the common syntax, RE2 has no look-around and no back-references. */
function regex(field: FieldReader, text: string): void {
  if (/\(\?<?[=!]|\\[1-9]/.test(text)) {
    field.error(`${quote(text)} uses look-around or a back-reference, which RE2 does not have`);
    return;
  }
  try {
    // Flags that only RE2 writes inside of a pattern.
    new RegExp(
      text
        .replace(/^\(\?[imsU]+\)/, '')
        .replaceAll('(?P<', '(?<')
        .replaceAll(/\\[AzQE]/g, ''),
    );
  } catch {
    field.warning(`${quote(text)} does not look like a regular expression (RE2)`);
  }
}

function redirection(redirect: FieldReader, route: FieldReader): void {
  if (!redirect.isObject('optional')) return;
  const code = redirect.at('redirectCode').number();
  if (code !== undefined && ![0, 301, 302, 303, 307, 308].includes(code))
    redirect.at('redirectCode').error(`${code} is no redirect: use 301, 302, 303, 307 or 308`);
  redirect.choice(['port', 'derivePort'], 'at most one');
  portNumber(redirect.at('port'));
  if (route.at('rewrite').present)
    route.at('rewrite').error('a redirect is not rewritten: set uri in redirect');
  if (route.at('fault').present) route.at('fault').warning('has no effect on a redirect');
}

function rewrite(field: FieldReader): void {
  const names = ['uri', 'authority', 'uriRegexRewrite'];
  if (names.every((name) => !field.at(name).present)) field.error(`one of ${names.join(', ')} must be set`);
  field.choice(['uri', 'uriRegexRewrite'], 'at most one');
  const pattern = field.at('uriRegexRewrite');
  if (!pattern.isObject('optional')) return;
  const text = pattern.at('match').required();
  if (text !== undefined) regex(pattern.at('match'), text);
  pattern.at('rewrite').required();
}

const retryConditions: readonly string[] = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'http3-post-connect-failure',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
];

function retries(field: FieldReader): void {
  if (!field.isObject('optional')) return;
  const attempts = field.at('attempts').integer(0, 0x7fffffff);
  duration(field.at('perTryTimeout'), 0);
  duration(field.at('backoff'));
  const retryOn = field.at('retryOn').string();
  if (attempts === 0 && (field.at('perTryTimeout').present || (retryOn ?? '') !== ''))
    field.warning('attempts 0 turns retries off, and the rest has no effect');
  for (const condition of retryOn?.split(',') ?? []) {
    const text = condition.trim();
    const code = Number(text);
    if (text === '' || retryConditions.includes(text)) continue;
    if (!Number.isInteger(code) || code < 100 || code > 599)
      field
        .at('retryOn')
        .error(`${quote(text)} is neither a status code nor one of ${retryConditions.join(', ')}`);
  }
}

function fault(field: FieldReader): void {
  if (!field.isObject('optional')) return;
  const { delay, abort } = { delay: field.at('delay'), abort: field.at('abort') };
  if (!delay.present && !abort.present) field.error('one of delay, abort must be set');
  if (delay.isObject('optional')) {
    if (!delay.at('fixedDelay').present) delay.at('fixedDelay').error('must be set');
    duration(delay.at('fixedDelay'));
    percentage(delay);
  }
  if (abort.isObject('optional')) {
    const kind = abort.choice(['httpStatus', 'grpcStatus'], 'one');
    if (kind === 'httpStatus') abort.at('httpStatus').integer(200, 599);
    if (kind === 'grpcStatus' && !grpcStatuses.has(abort.at('grpcStatus').string() ?? ''))
      abort.at('grpcStatus').error('is no gRPC status, as UNAVAILABLE');
    percentage(abort);
  }
}

const grpcStatuses = new Set([
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]);

/** Share of requests: `percentage.value`, 0 to 100, or the older whole number `percent`. */
function percentage(field: FieldReader): void {
  field.at('percent').integer(0, 100);
  const value = field.at('percentage').at('value');
  const share = value.number();
  if (share !== undefined && !(share >= 0 && share <= 100))
    value.error(`must be from 0 to 100, not ${share}`);
}

function mirrors(route: FieldReader): void {
  if (route.at('mirror').present) destination(route.at('mirror'));
  if (route.at('mirror').present && route.at('mirrors').items().length > 0)
    route.error('only one of mirror, mirrors may be set');
  const whole = route.at('mirrorPercentage').at('value');
  const share = whole.number();
  if (share !== undefined && !(share >= 0 && share <= 100))
    whole.error(`must be from 0 to 100, not ${share}`);
  for (const mirror of route.at('mirrors').items()) {
    if (!mirror.isObject()) continue;
    destination(mirror.at('destination'));
    percentage(mirror);
  }
}

function cors(field: FieldReader): void {
  if (!field.isObject('optional')) return;
  for (const origin of field.at('allowOrigins').items()) stringMatch(origin);
  for (const method of field.at('allowMethods').items()) method.required();
  for (const name of ['allowHeaders', 'exposeHeaders'])
    for (const header of field.at(name).items()) {
      const text = header.required();
      if (text !== undefined && text !== '*') headerName(header, text);
    }
  const age = field.at('maxAge');
  duration(age, 0);
  field.at('allowCredentials').boolean();
  field.at('unmatchedPreflights').oneOf(['UNSPECIFIED', 'FORWARD', 'IGNORE'] as const);
}

function headerOperations(headers: FieldReader): void {
  if (!headers.isObject('optional')) return;
  for (const direction of ['request', 'response']) {
    const operations = headers.at(direction);
    for (const name of ['set', 'add'])
      for (const [header, value] of operations.at(name).entries()) {
        headerName(value, header.replace(/^:/, ''));
        value.string();
      }
    for (const header of operations.at('remove').items()) {
      const text = header.required();
      if (text !== undefined) headerName(header, text);
    }
  }
}
