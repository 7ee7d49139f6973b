/** The text is not of the kind of YAML that is read here. */
export class BlockYamlError extends Error {
  override readonly name = 'BlockYamlError';
  readonly code = 'ERR_BLOCK_YAML';
}

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

type Node = string | null | Node[] | { [key: string]: Node };

/**
 * Reads YAML as Kubernetes' own tools write a kubeconfig: nested mappings and sequences in block style, plain or quoted
 * scalars on one line. All scalars are text. A whole YAML reader would take longer to load than the plugin takes to run.
 * @throws BlockYamlError naming the line
 */
export function parseBlockYaml(source: string): unknown {
  const lines: Line[] = [];
  for (const [index, raw] of source.split('\n').entries()) {
    const text = raw.trim();
    if (text === '' || text.startsWith('#') || text === '---') continue;
    lines.push({ indent: raw.length - raw.trimStart().length, text, number: index + 1 });
  }
  const reader = new BlockReader(lines);
  return reader.read();
}

class BlockReader {
  readonly #lines: Line[];
  #at = 0;

  constructor(lines: Line[]) {
    this.#lines = lines;
  }

  read(): Node {
    const first = this.#lines[0];
    if (first === undefined) return null;
    const node = this.#block(first.indent);
    const rest = this.#lines[this.#at];
    if (rest !== undefined) throw broken(rest, 'is indented less than what it belongs to');
    return node;
  }

  /** What begins here, at this indentation: a sequence or a mapping. */
  #block(indent: number): Node {
    return isItem(this.#lines[this.#at]!.text) ? this.#sequence(indent) : this.#mapping(indent);
  }

  #sequence(indent: number): Node[] {
    const items: Node[] = [];
    for (
      let line = this.#lines[this.#at];
      line?.indent === indent && isItem(line.text);
      line = this.#lines[this.#at]
    ) {
      const rest = line.text.slice(1).trimStart();
      if (rest === '') {
        this.#at++;
        items.push(this.#nested(indent + 1));
      } else if (keyEnd(rest) >= 0) {
        // `- key: value` is a mapping whose first line stands beside the dash.
        const inner = indent + line.text.length - rest.length;
        this.#lines[this.#at] = { ...line, indent: inner, text: rest };
        items.push(this.#mapping(inner));
      } else {
        this.#at++;
        items.push(scalar(rest, line));
      }
    }
    return items;
  }

  #mapping(indent: number): Node {
    const mapping: { [key: string]: Node } = {};
    for (
      let line = this.#lines[this.#at];
      line?.indent === indent && !isItem(line.text);
      line = this.#lines[this.#at]
    ) {
      const end = keyEnd(line.text);
      if (end < 0) throw broken(line, 'is neither "key: value" nor "- item"');
      const key = scalar(line.text.slice(0, end), line);
      if (typeof key !== 'string') throw broken(line, 'has a key that is no text');
      const rest = line.text.slice(end + 1).trim();
      this.#at++;
      // A sequence may stand at the indentation of its key.
      const value = rest !== '' ? scalar(rest, line) : this.#nested(indent + 1, indent);
      Object.defineProperty(mapping, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return mapping;
  }

  #nested(least: number, sequenceAt?: number): Node {
    const next = this.#lines[this.#at];
    if (next === undefined) return null;
    if (next.indent >= least || (next.indent === sequenceAt && isItem(next.text)))
      return this.#block(next.indent);
    return null;
  }
}

function isItem(text: string): boolean {
  return text === '-' || text.startsWith('- ');
}

/** Where the colon of `key: value` or `key:` is, or -1. */
function keyEnd(text: string): number {
  if (text.startsWith('"') || text.startsWith("'")) {
    const close = text.indexOf(text[0]!, 1);
    return close > 0 && text[close + 1] === ':' ? close + 1 : -1;
  }
  if (text.endsWith(':') && !text.includes(': ')) return text.length - 1;
  return text.indexOf(': ');
}

function scalar(text: string, line: Line): Node {
  if (text.startsWith('"')) {
    try {
      return JSON.parse(text) as string;
    } catch {
      throw broken(line, 'has a quoted text that is not closed');
    }
  }
  if (text.startsWith("'")) {
    if (text.length < 2 || !text.endsWith("'")) throw broken(line, 'has a quoted text that is not closed');
    return text.slice(1, -1).replaceAll("''", "'");
  }
  if (text === '{}') return {};
  if (text === '[]') return [];
  if (text === 'null' || text === '~') return null;
  if (/^[[{&*!|>%@`]/.test(text)) throw broken(line, 'uses YAML beyond what is read here');
  return text.replace(/\s+#.*$/, '');
}

function broken(line: Line, problem: string): BlockYamlError {
  return new BlockYamlError(`line ${line.number} ${problem}`);
}
