import type { FieldReader } from './field-reader.ts';
import { quote } from './field-reader.ts';
import { host, isDnsName, isIp, portNumber } from './field-values.ts';

/** Where a route leads: a host of the registry, and a subset and a port of it. */
export function destination(field: FieldReader): void {
  if (!field.isObject()) return;
  const text = field.at('host').string();
  if (text === undefined || !isIp(text)) host(field.at('host'), 'none');
  const subset = field.at('subset').string();
  if (subset !== undefined && subset !== '') subsetName(field.at('subset'), subset);
  const port = field.at('port');
  if (port.isObject('optional')) {
    if (!port.at('number').present) port.at('number').error('must be set');
    portNumber(port.at('number'));
  }
}

/** The name of a subset is part of the names of clusters: a DNS label. */
export function subsetName(field: FieldReader, text: string): void {
  if (!isDnsName(text) || text.includes('.')) field.error(`${quote(text)} is no DNS label`);
}

/** Shares of several destinations, which must not all be zero. */
export function weights(destinations: readonly FieldReader[]): void {
  let total = 0;
  for (const item of destinations)
    total += item.isObject('optional') ? (item.at('weight').integer(0, 0x7fffffff) ?? 0) : 0;
  if (destinations.length > 1 && total === 0)
    destinations[0]!.at('weight').error('several destinations need weights that are not all 0');
}
