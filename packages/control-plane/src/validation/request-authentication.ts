import { FieldReader, quote } from './field-reader.ts';
import { duration, headerName } from './field-values.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { policyAttachment } from './selectors.ts';

/** Checks of RequestAuthentication, by the rules of Istio's API reference. */
export function validateRequestAuthentication(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const spec = new FieldReader(object, '', problems).at('spec');
  policyAttachment(spec);
  const selector = spec.at('selector');
  if (selector.present)
    selector.warning(
      'ztunnel does not check tokens: name a waypoint, or a service that uses one, in targetRefs',
    );
  for (const rule of spec.at('jwtRules').items()) jwtRule(rule);
  return problems.all;
}

function jwtRule(rule: FieldReader): void {
  if (!rule.isObject()) return;
  const issuer = rule.at('issuer').string() ?? '';
  const jwksUri = rule.at('jwksUri').string() ?? '';
  const jwks = rule.at('jwks').string() ?? '';
  if (issuer === '' && jwksUri === '') rule.error('issuer or jwksUri must be set');
  if (jwksUri !== '' && jwks !== '') rule.error('only one of jwksUri and jwks may be set');
  if (jwksUri !== '' && !isHttpUrl(jwksUri))
    rule.at('jwksUri').error(`${quote(jwksUri)} is no http or https URL`);
  if (jwks !== '') keySet(rule.at('jwks'), jwks);
  for (const audience of rule.at('audiences').items()) audience.required();
  for (const header of rule.at('fromHeaders').items()) {
    const name = header.isObject() ? header.at('name').required() : undefined;
    if (name !== undefined) headerName(header.at('name'), name);
    header.at('prefix').string();
  }
  for (const param of rule.at('fromParams').items()) param.required();
  for (const cookie of rule.at('fromCookies').items()) cookie.required();
  for (const output of rule.at('outputClaimToHeaders').items()) {
    if (!output.isObject()) continue;
    output.at('claim').required();
    const header = output.at('header').required();
    if (header !== undefined) headerName(output.at('header'), header);
  }
  const payloadHeader = rule.at('outputPayloadToHeader').string();
  if (payloadHeader !== undefined && payloadHeader !== '')
    headerName(rule.at('outputPayloadToHeader'), payloadHeader);
  rule.at('forwardOriginalToken').boolean();
  for (const claim of rule.at('spaceDelimitedClaims').items()) claim.required();
  duration(rule.at('timeout'));
}

function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === 'http:' || url?.protocol === 'https:') && url.hostname !== '';
}

/** RFC 7517 section 5: an object with a list of keys, each with a type. */
function keySet(field: FieldReader, text: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    field.error('is no JSON: write a JWKS, {"keys":[...]}');
    return;
  }
  const keys = isObject(parsed) ? parsed['keys'] : undefined;
  if (!Array.isArray(keys)) field.error('is no JWKS: "keys" must be a list');
  else if (!keys.every((key: unknown) => isObject(key) && typeof key['kty'] === 'string'))
    field.error('is no JWKS: every key needs its type, "kty"');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
