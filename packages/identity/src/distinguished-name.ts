/**
 * Keys of distinguished names. Safe on data workers.
 */
import { ascii, derTag, toHex } from './der.ts';
import type { DerCursor, DerElement } from './der.ts';

const utf8 = new TextDecoder('utf-8', { fatal: false });

/**
 * A text that is equal for names that OpenSSL, which checks the chain, holds for equal: string types are ignored,
 * ASCII case is folded, runs of spaces are one space (a subset of RFC 4518). Comparing raw bytes instead could miss a
 * revocation when a CA writes its name as PrintableString in one place and as UTF8String in another.
 *
 * @throws DerError if the element is not a Name (RFC 5280 section 4.1.2.4)
 */
export function distinguishedNameKey(cursor: DerCursor, name: DerElement): string {
  let key = '';
  const rdns = cursor.inside(name);
  while (!rdns.done) {
    const attributes: string[] = [];
    const rdn = rdns.enter('relative distinguished name', derTag.set);
    while (!rdn.done) {
      const attribute = rdn.enter('name attribute', derTag.sequence);
      const type = attribute.hex(attribute.next('attribute type', derTag.oid));
      attributes.push(`${type}=${valueKey(attribute, attribute.next('attribute value'))}`);
      attribute.finish('name attribute');
    }
    key += `/${attributes.sort().join('+')}`;
  }
  return key;
}

function valueKey(cursor: DerCursor, value: DerElement): string {
  const { bytes } = cursor;
  switch (value.tag) {
    case derTag.utf8String:
      return fold(utf8.decode(bytes.subarray(value.body, value.end)));
    case derTag.printableString:
    case derTag.ia5String:
    case derTag.teletexString:
      return fold(ascii(bytes, value.body, value.end));
    case derTag.bmpString: {
      let text = '';
      for (let i = value.body; i + 1 < value.end; i += 2)
        text += String.fromCharCode(bytes[i]! * 256 + bytes[i + 1]!);
      return fold(text);
    }
    default:
      return `#${value.tag.toString(16)}${toHex(bytes, value.body, value.end)}`;
  }
}

/** Escapes what separates attributes in the key, so that no value can pose as two attributes. */
function fold(text: string): string {
  return text
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[\\/+=#]/g, '\\$&');
}
