import { isIP } from 'node:net';

import { Environment } from '@marcbachmann/cel-js';

import { hasFormat } from './formats.ts';

/** A parsed URL in an expression; a class of its own, since the library tells types apart by class. */
class CelUrl {
  readonly url: URL;
  constructor(text: string) {
    this.url = new URL(text);
  }
}

/**
 * What rules may call: the CEL standard library and, of the Kubernetes libraries, addresses, URLs, regular expressions
 * and lists (k8s.io/apiserver `cel/library`). `self` and `oldSelf` may be anything.
 */
export function ruleEnvironment(): Environment {
  return new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
    .registerVariable('self', 'dyn')
    .registerVariable('oldSelf', 'dyn')
    .registerType('URL', CelUrl)
    .registerFunction('isIP(string): bool', (text: string) => isIP(text) !== 0)
    .registerFunction('isCIDR(string): bool', (text: string) => hasFormat(text, 'cidr'))
    .registerFunction('isURL(string): bool', (text: string) => URL.canParse(text))
    .registerFunction('url(string): URL', (text: string) => new CelUrl(text))
    .registerFunction('URL.getScheme(): string', ({ url }: CelUrl) => url.protocol.slice(0, -1))
    .registerFunction('URL.getHost(): string', ({ url }: CelUrl) => url.host)
    .registerFunction('URL.getHostname(): string', ({ url }: CelUrl) => url.hostname)
    .registerFunction('URL.getPort(): string', ({ url }: CelUrl) => url.port)
    .registerFunction('URL.getEscapedPath(): string', ({ url }: CelUrl) => url.pathname)
    .registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => new RegExp(pattern).exec(text)?.[0] ?? '',
    )
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, to),
    )
    .registerFunction('string.charAt(int): string', (text: string, at: bigint) => text.charAt(Number(at)))
    .registerFunction('list<dyn>.isSorted(): bool', (list: readonly (string | number | bigint)[]) =>
      list.every((item, i) => i === 0 || list[i - 1]! <= item),
    );
}
