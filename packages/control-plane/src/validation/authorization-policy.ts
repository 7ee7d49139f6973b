import { FieldReader, quote } from './field-reader.ts';
import { isIpBlock } from './field-values.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { policyAttachment } from './selectors.ts';

/** How the values of one field of a rule are written. */
type ValueForm = 'pattern' | 'ip-block' | 'port' | 'service-account' | 'host' | 'method' | 'path';

/** The fields of `from[].source`, without their `not` twins. */
export const sourceFields: Readonly<Record<string, ValueForm>> = {
  principals: 'pattern',
  requestPrincipals: 'pattern',
  namespaces: 'pattern',
  serviceAccounts: 'service-account',
  ipBlocks: 'ip-block',
  remoteIpBlocks: 'ip-block',
  trustDomains: 'pattern',
};

/** The fields of `to[].operation`, without their `not` twins. */
export const operationFields: Readonly<Record<string, ValueForm>> = {
  hosts: 'host',
  ports: 'port',
  methods: 'method',
  paths: 'path',
};

const conditionForms: Readonly<Record<string, ValueForm>> = {
  'source.ip': 'ip-block',
  'remote.ip': 'ip-block',
  'source.namespace': 'pattern',
  'source.serviceAccount': 'service-account',
  'source.trustDomain': 'pattern',
  'source.principal': 'pattern',
  'request.auth.principal': 'pattern',
  'request.auth.audiences': 'pattern',
  'request.auth.presenter': 'pattern',
  'destination.ip': 'ip-block',
  'destination.port': 'port',
  'connection.sni': 'pattern',
};
const conditionFamilies: readonly RegExp[] = [
  /^request\.headers\[[^[\]]+\]$/,
  /^request\.auth\.claims(\[[^[\]]+\])+$/,
  /^experimental\.envoy\.filters\.[^[\]]+(\[[^[\]]+\])?$/,
];

/** How the values of a `when` key are written; undefined for a key that AuthorizationPolicy does not have. */
export function conditionForm(key: string): ValueForm | undefined {
  if (Object.hasOwn(conditionForms, key)) return conditionForms[key];
  return conditionFamilies.some((family) => family.test(key)) ? 'pattern' : undefined;
}

/** `rules` -> `notRules`: the twin of a field that must not match. */
export function notField(field: string): string {
  return `not${field[0]!.toUpperCase()}${field.slice(1)}`;
}

/** Checks of AuthorizationPolicy, by the rules of Istio's API reference. */
export function validateAuthorizationPolicy(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const policy = new FieldReader(object, '', problems);
  const spec = policy.at('spec');
  policyAttachment(spec);
  const action = spec.at('action').oneOf(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'] as const);
  const rules = spec.at('rules');
  const provider = spec.at('provider');
  if (action === 'CUSTOM') {
    if ((provider.at('name').string() ?? '') === '')
      provider.at('name').error('CUSTOM needs the name of an extension provider');
  } else if (provider.present) provider.error('is for the CUSTOM action only');
  if ((action === 'CUSTOM' || action === 'DENY') && !rules.present)
    rules.error(`${action} without rules never applies: add an empty rule, {}, to match everything`);
  dryRunAnnotation(policy, action);
  for (const rule of rules.items()) validateRule(rule, action);
  return problems.all;
}

function dryRunAnnotation(policy: FieldReader, action: string | undefined): void {
  const field = policy
    .at('metadata')
    .at('annotations')
    .entries()
    .find(([key]) => key === 'istio.io/dry-run')?.[1];
  const text = field?.string();
  if (field === undefined || text === undefined || text === '') return;
  const dryRun = parseGoBoolean(text);
  if (dryRun === undefined)
    field.error(`${quote(text)} is neither true nor false, and the policy stays enforced`);
  else if (dryRun && (action === 'AUDIT' || action === 'CUSTOM'))
    field.error(`a dry run is possible for ALLOW and DENY only, not for ${action}`);
}

/** The spellings of a boolean that Go's strconv.ParseBool takes, which Istio reads annotations with. */
export function parseGoBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}

function validateRule(rule: FieldReader, action: string | undefined): void {
  if (!rule.isObject()) return;
  onlyFields(rule, ['from', 'to', 'when']);
  for (const name of ['from', 'to', 'when']) {
    const list = rule.at(name);
    if (list.present && list.items().length === 0)
      list.error('is empty: leave it out to match everything, or name what should match');
  }
  for (const from of rule.at('from').items()) {
    if (!from.isObject()) continue;
    const source = from.at('source');
    validateFields(source, sourceFields);
    notWithServiceAccounts(source);
    if (action === 'CUSTOM')
      refuseWithCustom(source, [
        'principals',
        'requestPrincipals',
        'namespaces',
        'serviceAccounts',
        'trustDomains',
      ]);
  }
  for (const to of rule.at('to').items()) {
    if (to.isObject()) validateFields(to.at('operation'), operationFields);
  }
  for (const when of rule.at('when').items()) validateCondition(when, action);
}

/** Reports fields that the API does not have: a misspelt one would widen the rule. */
function onlyFields(reader: FieldReader, names: readonly string[]): void {
  for (const [name] of reader.entries())
    if (!names.includes(name)) reader.at(name).error('is not a field of AuthorizationPolicy');
}

function validateFields(reader: FieldReader, forms: Readonly<Record<string, ValueForm>>): void {
  if (!reader.isObject()) return;
  const names = Object.keys(forms).flatMap((name) => [name, notField(name)]);
  onlyFields(reader, names);
  let values = 0;
  for (const [name, form] of Object.entries(forms))
    for (const field of [reader.at(name), reader.at(notField(name))]) values += validateValues(field, form);
  if (values === 0) reader.error('names nothing to match: set a field, or leave the entry out');
}

function notWithServiceAccounts(source: FieldReader): void {
  if (!source.isObject('optional')) return;
  const has = (name: string) => source.at(name).items().length + source.at(notField(name)).items().length > 0;
  if (has('serviceAccounts') && (has('principals') || has('namespaces')))
    source.error('serviceAccounts and notServiceAccounts cannot stand beside principals or namespaces');
}

function refuseWithCustom(source: FieldReader, names: readonly string[]): void {
  for (const name of names.flatMap((name) => [name, notField(name)]))
    if (source.at(name).present) source.at(name).error('is not supported with the CUSTOM action');
}

function validateCondition(when: FieldReader, action: string | undefined): void {
  if (!when.isObject()) return;
  onlyFields(when, ['key', 'values', 'notValues']);
  const key = when.at('key').required();
  if (key === undefined) return;
  const form = conditionForm(key);
  if (form === undefined) {
    when.at('key').error(`${quote(key)} is not a condition of AuthorizationPolicy`);
    return;
  }
  if (action === 'CUSTOM' && /^(source\.(namespace|serviceAccount|principal)$|request\.auth\.)/.test(key))
    when.at('key').error(`${key} is not supported with the CUSTOM action`);
  const values = validateValues(when.at('values'), form) + validateValues(when.at('notValues'), form);
  if (values === 0) when.error('one of values and notValues must name a value');
}

/** Checks each value of a list. @returns how many there are, well-formed or not */
function validateValues(list: FieldReader, form: ValueForm): number {
  const items = list.items();
  for (const item of items) {
    const text = item.required();
    if (text === undefined) continue;
    const problem = problemOf(text, form);
    if (problem !== undefined) item.error(problem);
    else if (form === 'pattern') warnOfPattern(item, text);
  }
  return items.length;
}

function problemOf(text: string, form: ValueForm): string | undefined {
  switch (form) {
    case 'ip-block':
      return isIpBlock(text) ? undefined : `${quote(text)} is neither an IP address nor a CIDR range`;
    case 'port':
      return parsePort(text) === undefined
        ? `${quote(text)} is no port: write a number from 1 to 65535`
        : undefined;
    case 'service-account':
      return parseServiceAccount(text) === undefined
        ? `${quote(text)} is no service account: write NAME or NAMESPACE/NAME, without wildcards`
        : undefined;
    case 'path':
      return pathTemplateProblem(text);
    case 'pattern':
    case 'host':
    case 'method':
      return undefined;
  }
}

/** Stars that are matched as characters, and a scheme that no principal has: written by mistake as a rule. */
function warnOfPattern(item: FieldReader, text: string): void {
  if (text.startsWith('spiffe://'))
    item.warning('a principal is written without spiffe://, so this matches nobody');
  else if (text.length > 1 && text.replace(/^\*|\*$/, '').includes('*'))
    item.warning(
      `only one leading or trailing * is a wildcard, the others in ${quote(text)} stand for themselves`,
    );
}

/** A port as a policy writes it, a decimal number. 0 is not refused by Istio when it converts a policy. */
export function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

/** `name` or `namespace/name`; the namespace is absent when it is the policy's own. */
export function parseServiceAccount(
  text: string,
): { readonly namespace: string | undefined; readonly name: string } | undefined {
  const match = /^(?:([^/*\s]+)\/)?([^/*\s]+)$/.exec(text);
  return match === null ? undefined : { namespace: match[1], name: match[2]! };
}

/** `{*}` is one segment, `{**}` any number and last; a path that has no braces may have stars at its ends. */
function pathTemplateProblem(text: string): string | undefined {
  if (!/[{}]/.test(text)) return undefined;
  if (text.replaceAll('{**}', '').replaceAll('{*}', '').includes('*'))
    return `${quote(text)} mixes a bare * with a path template: use {*} or {**}`;
  const segments = text.split('/');
  let after = false;
  for (const segment of segments) {
    if (/[{}]/.test(segment) && segment !== '{*}' && segment !== '{**}')
      return `${quote(text)}: a segment is a name, {*} or {**}`;
    if (after && segment === '{**}') return `${quote(text)}: {**} may stand once`;
    if (after && segment === '{*}') return `${quote(text)}: {*} may not follow {**}`;
    if (segment === '{**}') after = true;
  }
  return undefined;
}
