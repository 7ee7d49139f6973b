/** How a field's value is encoded: by a scalar's or a known type's name, or as a message of its own. */
export interface MessageField {
  readonly number: number;
  /** In JSON. */
  readonly name: string;
  readonly repeated: boolean;
  readonly map: boolean;
  /** Its fields stand among those of the message around it in JSON. */
  readonly inline: boolean;
  /** Zero and absent are the same, and not in JSON. */
  readonly omitsZero: boolean;
  /** A message or a list that is there even where nothing is in it. */
  readonly always: boolean;
  /** Of a scalar or of a known type; for messages, see {@link MessageTypes.message}. */
  readonly type: string;
}

export interface MessageType {
  readonly table: string;
  readonly name: string;
  readonly byNumber: ReadonlyMap<number, MessageField>;
}

/** A table of messages does not follow its notation: a fault of this program. */
export class MessageTypesError extends Error {
  override readonly name = 'MessageTypesError';
  readonly code = 'message-types';
}

/**
 * Reads the notation in which messages/ holds how objects are encoded as protocol buffers. One message:
 *
 * ```text
 * Volume: 1 name string; 2 ... VolumeSource
 * ```
 *
 * A field is its number, its name in JSON (`...`: its fields are the message's own in JSON), and its type: a scalar, a
 * type that the codec knows by name, another message of the table, or `table.Message`; `[T]` is a list, `{T}` a map of
 * strings to T; a scalar with `?` is left out of JSON when it is zero, and a message
 * or list with `!` is always there.
 *
 * Messages are read when first asked for.
 */
export class MessageTypes {
  readonly #texts = new Map<string, string>();
  readonly #read = new Map<string, MessageType>();

  /** @throws {MessageTypesError} a text does not follow the notation */
  constructor(tables: Readonly<Record<string, string>>) {
    for (const [table, text] of Object.entries(tables))
      for (const block of text.trim().split(/\n(?=\S)/)) {
        const colon = block.indexOf(':');
        if (colon === -1) throw new MessageTypesError(`${table}: not a message: "${block}"`);
        this.#texts.set(`${table}.${block.slice(0, colon)}`, block.slice(colon + 1));
      }
  }

  find(table: string, name: string): MessageType | undefined {
    const key = `${table}.${name}`;
    let type = this.#read.get(key);
    if (type !== undefined) return type;
    const text = this.#texts.get(key);
    if (text === undefined) return undefined;
    type = { table, name, byNumber: new Map(fieldsOf(text, key).map((field) => [field.number, field])) };
    this.#read.set(key, type);
    return type;
  }

  /**
   * The message that a field's type names.
   *
   * @throws {MessageTypesError} nobody defined it
   */
  message(within: MessageType, type: string): MessageType {
    const dot = type.indexOf('.');
    const found =
      dot === -1 ? this.find(within.table, type) : this.find(type.slice(0, dot), type.slice(dot + 1));
    if (found === undefined)
      throw new MessageTypesError(`${within.table}.${within.name} refers to ${type}, which is in no table`);
    return found;
  }
}

function fieldsOf(text: string, key: string): MessageField[] {
  return text
    .replace(/\s+/g, ' ')
    .split(';')
    .map((field) => field.trim())
    .filter((field) => field !== '')
    .map((field) => {
      const match = /^(\d+) (\S+) ([[{]?)([\w.-]+)[\]}]?([?!]?)$/.exec(field);
      if (match === null) throw new MessageTypesError(`${key}: not a field: "${field}"`);
      const [, number, name = '', bracket, type = '', mark] = match;
      return {
        number: Number(number),
        name,
        repeated: bracket === '[',
        map: bracket === '{',
        inline: name === '...',
        omitsZero: mark === '?',
        always: mark === '!',
        type,
      };
    });
}
