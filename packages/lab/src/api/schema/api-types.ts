import { definitionName, repeatableKeys } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/**
 * Reads the notation in which the tables beside this file hold the types of the built-in API groups. One type:
 *
 * ```text
 * Container: name! string; image string; args [string] atomic; env [EnvVar] by name;
 *   resources ResourceRequirements = {}
 * ```
 *
 * - `Name:` or `Name atomic:` begins a type at the start of a line; indented lines go on with it; `;` parts fields.
 * - A field is its name, `!` if it is required, its type, modifiers, and `= JSON` for a default.
 * - Types: `string boolean int32 int64 double bytes Time MicroTime Quantity IntOrString any`, `A|B` (one of these
 *   strings), `[T]` (list), `{T}` (map of strings to T), the name of a type of this table, or `group.Name`.
 * - Modifiers of lists: `atomic`; `set`; `by KEY,KEY` (list-type map, which patches merge by the first key);
 *   `patch KEY` (another merge key; without KEY, a merged list of scalars); `replace` (patches replace it after all);
 *   `retainKeys`; `unique` (keys may not stand twice in a request). Of maps: `atomic`.
 *
 * @throws {ApiTypesError} the text does not follow the notation, or names a type that nobody defined
 */
export class ApiTypes {
  readonly #texts: ReadonlyMap<string, TypeText>;
  readonly #built = new Map<string, JsonSchema>();
  readonly #prefix: string;
  readonly #imports: ReadonlyMap<string, ApiTypes>;

  /** @param prefix what definitions are called in OpenAPI documents, such as `io.k8s.api.core.v1` */
  constructor(prefix: string, text: string, imports: Readonly<Record<string, ApiTypes>> = {}) {
    this.#prefix = prefix;
    this.#imports = new Map(Object.entries(imports));
    this.#texts = new Map(splitTypes(text).map((type) => [type.name, type]));
  }

  has(name: string): boolean {
    return this.#texts.has(name);
  }

  /** @throws {ApiTypesError} no such type */
  type(name: string): JsonSchema {
    const dot = name.indexOf('.');
    const found =
      dot === -1
        ? (this.#built.get(name) ?? this.#build(name))
        : this.#imports.get(name.slice(0, dot))?.type(name.slice(dot + 1));
    if (found === undefined) throw new ApiTypesError(`${this.#prefix} has no type ${name}`);
    return found;
  }

  // Types are built when first asked for, and what they refer to before them: none refers to itself.
  #build(name: string): JsonSchema | undefined {
    const text = this.#texts.get(name);
    if (text === undefined) return undefined;
    const schema = {
      [definitionName]: `${this.#prefix}.${name}`,
      ...this.#objectSchema(name, text.atomic, text.fields),
    };
    this.#built.set(name, schema);
    return schema;
  }

  #objectSchema(type: string, atomic: boolean, fields: readonly string[]): JsonSchema {
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const field of fields) {
      const match = /^([A-Za-z$][\w$]*)(!?) (.+)$/.exec(field);
      if (match === null) throw new ApiTypesError(`${this.#prefix}.${type}: not a field: "${field}"`);
      const [, name = '', mark, text = ''] = match;
      properties[name] = this.#fieldSchema(text);
      if (mark === '!') required.push(name);
    }
    return {
      type: 'object',
      properties,
      ...(required.length > 0 ? { required } : {}),
      ...(atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }

  #fieldSchema(text: string): JsonSchema {
    const assign = text.indexOf(' = ');
    const words = (assign === -1 ? text : text.slice(0, assign)).split(' ');
    const base = this.#typeSchema(words[0]!);
    if (words.length === 1 && assign === -1) return base;
    const schema = { ...base, ...modifiers(words.slice(1), base.type === 'array') };
    return assign === -1 ? schema : { ...schema, default: JSON.parse(text.slice(assign + 3)) as unknown };
  }

  #typeSchema(word: string): JsonSchema {
    if (word.startsWith('[')) return { type: 'array', items: this.#typeSchema(word.slice(1, -1)) };
    if (word.startsWith('{'))
      return { type: 'object', additionalProperties: this.#typeSchema(word.slice(1, -1)) };
    if (word.includes('|')) return { type: 'string', enum: word.split('|') };
    return primitives[word] ?? this.type(word);
  }
}

/** A table of built-in types does not follow its notation: a fault of this program. */
export class ApiTypesError extends Error {
  override readonly name = 'ApiTypesError';
  readonly code = 'api-types';
}

const primitives: Readonly<Record<string, JsonSchema>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  Time: { type: 'string', format: 'date-time' },
  MicroTime: { type: 'string', format: 'date-time' },
  Quantity: { 'x-kubernetes-int-or-string': true },
  IntOrString: { 'x-kubernetes-int-or-string': true },
  any: { 'x-kubernetes-preserve-unknown-fields': true },
};

function modifiers(words: readonly string[], ofList: boolean): JsonSchema {
  const out: { -readonly [K in keyof JsonSchema]: JsonSchema[K] } = {};
  const strategies = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === 'atomic') {
      if (ofList) out['x-kubernetes-list-type'] = 'atomic';
      else out['x-kubernetes-map-type'] = 'atomic';
    } else if (word === 'set') {
      out['x-kubernetes-list-type'] = 'set';
      out[repeatableKeys] = true;
      strategies.add('merge');
    } else if (word === 'by') {
      const keys = words[++i]!.split(',');
      out[repeatableKeys] = true;
      out['x-kubernetes-list-type'] = 'map';
      out['x-kubernetes-list-map-keys'] = keys;
      out['x-kubernetes-patch-merge-key'] = keys[0]!;
      strategies.add('merge');
    } else if (word === 'patch') {
      strategies.add('merge');
      const key = words[i + 1];
      if (key !== undefined && !['replace', 'retainKeys', 'unique'].includes(key)) {
        out['x-kubernetes-patch-merge-key'] = key;
        i++;
      }
    } else if (word === 'replace') {
      strategies.clear();
      delete out['x-kubernetes-patch-merge-key'];
    } else if (word === 'unique') delete out[repeatableKeys];
    else if (word === 'retainKeys') strategies.add('retainKeys');
    else throw new ApiTypesError(`no modifier is called "${word}"`);
  }
  if (strategies.size > 0) out['x-kubernetes-patch-strategy'] = [...strategies].join(',');
  return out;
}

interface TypeText {
  readonly name: string;
  readonly atomic: boolean;
  readonly fields: readonly string[];
}

function splitTypes(text: string): TypeText[] {
  return text
    .trim()
    .split(/\n(?=\S)/)
    .map((block) => {
      const match = /^(\w+)( atomic)?:\s*([\s\S]*)$/.exec(block);
      if (match === null) throw new ApiTypesError(`not a type: "${block}"`);
      const [, name = '', atomic, body = ''] = match;
      const fields = body
        .replace(/\s+/g, ' ')
        .split(/; ?/)
        .filter((field) => field !== '');
      return { name, atomic: atomic !== undefined, fields };
    });
}
