/** Label and field selectors of list, watch and deletecollection (API concepts, "Labels and Selectors"). */
import { badRequest } from '../errors.ts';
import { valueAt } from '../object.ts';
import type { ApiObject } from '../object.ts';

export type Selector = (object: ApiObject) => boolean;

type Labels = Readonly<Record<string, string>>;
type LabelTest = (labels: Labels) => boolean;

const noLabels: Labels = {};

/**
 * `a=b,c!=d,e in (f,g),h notin (i),j,!k`; `!=` and `notin` match objects without the label too.
 *
 * @returns undefined for an empty selector, which matches everything
 * @throws ApiError 400
 */
export function parseLabelSelector(text: string): Selector | undefined {
  const tests: LabelTest[] = [];
  for (const part of splitOutsideParentheses(text)) {
    const term = part.trim();
    if (term !== '') tests.push(parseLabelTerm(term, text));
  }
  if (tests.length === 0) return undefined;
  return (object) => {
    const labels = object.metadata.labels ?? noLabels;
    return tests.every((test) => test(labels));
  };
}

const setTerm = /^([\w./-]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const equalityTerm = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/;
const existsTerm = /^(!?)\s*([\w./-]+)$/;

function parseLabelTerm(term: string, whole: string): LabelTest {
  const set = setTerm.exec(term);
  if (set !== null) {
    const [, key, operator, list] = set as unknown as [string, string, string, string];
    const values = new Set(list.split(',').map((value) => value.trim()));
    return operator === 'in'
      ? (labels) => Object.hasOwn(labels, key) && values.has(labels[key]!)
      : (labels) => !Object.hasOwn(labels, key) || !values.has(labels[key]!);
  }
  const equality = equalityTerm.exec(term);
  if (equality !== null) {
    const [, key, operator, value] = equality as unknown as [string, string, string, string];
    return operator === '!='
      ? (labels) => !Object.hasOwn(labels, key) || labels[key] !== value
      : (labels) => Object.hasOwn(labels, key) && labels[key] === value;
  }
  const exists = existsTerm.exec(term);
  if (exists === null)
    throw badRequest(`unable to parse requirement "${term}" of the label selector "${whole}"`);
  const [, not, key] = exists as unknown as [string, string, string];
  return (labels) => Object.hasOwn(labels, key) === (not === '');
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

/** Fields that every resource can be selected by. */
const commonFields = ['metadata.name', 'metadata.namespace'];

/** Fields beside those, as the API server has them, by `plural.group`. */
const selectableFields: Readonly<Record<string, readonly string[]>> = {
  'pods.': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  'namespaces.': ['status.phase'],
  'nodes.': ['spec.unschedulable'],
  'secrets.': ['type'],
  'services.': ['spec.clusterIP', 'spec.type'],
  'events.': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  'events.events.k8s.io': [
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
    'reason',
    'type',
  ],
  'replicasets.apps': ['status.replicas'],
  'jobs.batch': ['status.successful'],
};

/**
 * `metadata.name=x,status.phase!=Running`.
 *
 * @param resource `plural.group`, with the dot for the core group too
 * @param extraFields selectable fields of a CRD, without the leading dot
 * @returns undefined for an empty selector
 * @throws ApiError 400 for a field that the resource cannot be selected by
 */
export function parseFieldSelector(
  text: string,
  resource: string,
  extraFields: readonly string[] = [],
): Selector | undefined {
  const tests: Selector[] = [];
  for (const term of text.split(',')) {
    if (term.trim() === '') continue;
    const match = /^([^=!]+?)\s*(==|=|!=)(.*)$/.exec(term.trim());
    if (match === null) throw badRequest(`invalid field selector: "${term}"; expected FIELD=VALUE`);
    const [, field, operator, value] = match as unknown as [string, string, string, string];
    const known =
      commonFields.includes(field) ||
      selectableFields[resource]?.includes(field) === true ||
      extraFields.includes(field);
    if (!known) throw badRequest(`field label not supported: ${field}`);
    const path = field.split('.');
    const wanted = value.replace(/\\(.)/g, '$1');
    tests.push((object) => (fieldText(object, path) === wanted) === (operator !== '!='));
  }
  return tests.length === 0 ? undefined : (object) => tests.every((test) => test(object));
}

function fieldText(object: ApiObject, path: readonly string[]): string {
  const value = valueAt(object, path);
  if (value === undefined || value === null)
    return path.at(-1) === 'hostNetwork' || path.at(-1) === 'unschedulable' ? 'false' : '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The name that a selector pins, for `metadata.name=x`: a list of one object need not look at all of them. */
export function pinnedName(fieldSelector: string): string | undefined {
  for (const term of fieldSelector.split(',')) {
    const match = /^\s*metadata\.name\s*==?\s*([^,=]+)$/.exec(term);
    if (match !== null) return match[1]!.trim();
  }
  return undefined;
}
