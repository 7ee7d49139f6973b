import type { FieldReader } from './field-reader.ts';
import { quote } from './field-reader.ts';
import { isLabelKey, isLabelValue } from './field-values.ts';

const targetKinds: Readonly<Record<string, string>> = {
  Service: '',
  ServiceEntry: 'networking.istio.io',
  Gateway: 'gateway.networking.k8s.io',
  GatewayClass: 'gateway.networking.k8s.io',
};

/** What a policy applies to: `selector`, or `targetRefs`, or neither, never both. */
export function policyAttachment(spec: FieldReader): void {
  const selector = spec.at('selector');
  const refs = spec.at('targetRefs');
  const set = [
    ...(selector.present ? ['selector'] : []),
    ...(spec.at('targetRef').present ? ['targetRef'] : []),
    ...(refs.items().length > 0 ? ['targetRefs'] : []),
  ];
  if (set.length > 1) spec.error(`only one of ${set.join(' and ')} may be set`);
  policySelector(selector);
  if (spec.at('targetRef').present) targetRef(spec.at('targetRef'));
  if (refs.items().length > 16) refs.error('holds more than 16 targets');
  for (const ref of refs.items()) targetRef(ref);
}

/** `selector.matchLabels`: exact labels, no wildcards. */
export function policySelector(selector: FieldReader): void {
  if (!selector.isObject('optional')) return;
  const matchLabels = selector.at('matchLabels');
  const entries = matchLabels.entries();
  for (const [key, value] of entries) selectorLabel(key, value);
  if (entries.length === 0)
    selector.warning(
      'names no label and so applies to the whole namespace: leave the selector out to say so',
    );
}

/** One label of a selector. */
export function selectorLabel(key: string, value: FieldReader): void {
  const text = value.string();
  if (text === undefined) {
    if (!value.present) value.error('must be a string');
    return;
  }
  if (key === '') value.error('a label must have a name');
  else if (key.includes('*') || text.includes('*')) value.error('wildcards are not supported in a selector');
  else if (!isLabelKey(key)) value.error(`${quote(key)} is no label name`);
  else if (!isLabelValue(text)) value.error(`${quote(text)} is no label value`);
}

function targetRef(ref: FieldReader): void {
  if (!ref.isObject()) return;
  ref.at('name').required();
  if ((ref.at('namespace').string() ?? '') !== '')
    ref.at('namespace').error('a policy targets its own namespace only: leave the namespace out');
  const kind = ref.at('kind').required();
  if (kind === undefined) return;
  const group = ref.at('group').string() ?? '';
  const expected = targetKinds[kind];
  if (!Object.hasOwn(targetKinds, kind) || (expected !== group && !(expected === '' && group === 'core')))
    ref.error(
      `${quote(group === '' ? kind : `${group}/${kind}`)} cannot be targeted: use Service, networking.istio.io/ServiceEntry, gateway.networking.k8s.io/Gateway or gateway.networking.k8s.io/GatewayClass`,
    );
}
