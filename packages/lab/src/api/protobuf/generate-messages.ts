/**
 * Writes the tables in messages/ from the public Go modules of Kubernetes, which say how each type is encoded
 * (generated.proto) and what its fields are called in JSON (types.go). For developers, once per release of Kubernetes:
 *
 * ```sh
 * node packages/lab/src/api/protobuf/generate-messages.ts API_MODULE APIMACHINERY_MODULE APIEXTENSIONS_MODULE
 * ```
 *
 * The arguments are the modules' directories, as `go mod download -json k8s.io/api` names them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { builtInResources } from '../resources/builtin-resources.ts';

interface Source {
  readonly name: string;
  /** The package in generated.proto. */
  readonly package: string;
  readonly directory: string;
  /** Types to begin with; what they refer to comes along. */
  readonly roots: readonly string[];
}

interface GoField {
  readonly json: string;
  readonly inline: boolean;
  readonly omitsZero: boolean;
  readonly pointer: boolean;
  readonly omitsEmpty: boolean;
}

const lineWidth = 116;
/** Types that the codec knows by name, since their JSON is not an object with the fields of the message. */
const known = new Set([
  'Time',
  'MicroTime',
  'Quantity',
  'IntOrString',
  'FieldsV1',
  'RawExtension',
  'JSON',
  'ExtraValue',
  'JSONSchemaPropsOrBool',
  'JSONSchemaPropsOrArray',
  'JSONSchemaPropsOrStringArray',
]);
const scalars = new Set(['string', 'bool', 'int32', 'int64', 'double', 'bytes']);
const parts: Readonly<Record<string, readonly string[]>> = {
  core: ['Binding'],
  authentication: ['TokenRequest'],
  'autoscaling-v1': ['HorizontalPodAutoscaler', 'Scale'],
  policy: ['Eviction'],
  meta: ['DeleteOptions', 'ListMeta', 'ObjectMeta', 'Status'],
  apiextensions: ['JSONSchemaProps'],
};

function sources(api: string, machinery: string, extensions: string): Source[] {
  const found = new Map<string, Source>();
  const add = (name: string, packageName: string, directory: string): void => {
    found.set(name, { name, package: packageName, directory, roots: parts[name] ?? [] });
  };
  add('meta', 'k8s.io.apimachinery.pkg.apis.meta.v1', join(machinery, 'pkg', 'apis', 'meta', 'v1'));
  add('autoscaling-v1', 'k8s.io.api.autoscaling.v1', join(api, 'autoscaling', 'v1'));
  for (const { group, kind, storageVersion } of builtInResources(() => undefined)) {
    const short = group === '' ? 'core' : group.split('.')[0]!;
    if (!found.has(short)) {
      if (short === 'apiextensions')
        add(
          short,
          'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1',
          join(extensions, 'pkg', 'apis', 'apiextensions', 'v1'),
        );
      else add(short, `k8s.io.api.${short}.${storageVersion}`, join(api, short, storageVersion));
    }
    const source = found.get(short)!;
    found.set(short, { ...source, roots: [...source.roots, kind] });
  }
  return [...found.values()];
}

/** By type, by number. */
function goFields(directory: string): Map<string, Map<number, GoField>> {
  const types = new Map<string, Map<number, GoField>>();
  for (const file of readdirSync(directory).filter((name) => /^types.*\.go$/.test(name))) {
    let type = new Map<number, GoField>();
    for (const line of readFileSync(join(directory, file), 'utf8').split('\n')) {
      const start = /^type (\w+) struct/.exec(line);
      if (start !== null) types.set(start[1]!, (type = new Map<number, GoField>()));
      const field = /^\s*(?!\/\/)(\w[\w.]*)\s*([^\s`]*)\s*`([^`]*)`/.exec(line);
      const number = /protobuf:"\w+,(\d+)/.exec(field?.[3] ?? '')?.[1];
      const json = /json:"([^",]*)([^"]*)"/.exec(field?.[3] ?? '');
      if (field === null || number === undefined || json === null) continue;
      type.set(Number(number), {
        json: json[1]!,
        inline: json[1] === '' && json[2]!.includes('inline'),
        pointer: field[2]!.startsWith('*'),
        omitsEmpty: json[2]!.includes('omitempty'),
        omitsZero: json[2]!.includes('omitempty') && !field[2]!.startsWith('*'),
      });
    }
  }
  return types;
}

interface MessageText {
  readonly fields: readonly string[];
  readonly refers: readonly string[];
}

function messages(source: Source, all: readonly Source[]): Map<string, MessageText> {
  const go = goFields(source.directory);
  const found = new Map<string, MessageText>();
  const text = readFileSync(join(source.directory, 'generated.proto'), 'utf8').replace(/^\s*\/\/.*$/gm, '');
  for (const [, name = '', body = ''] of text.matchAll(/^message (\w+) \{([^}]*)\}/gm)) {
    const refers: string[] = [];
    const typeName = (type: string): string => {
      const words = type.replace(/^\./, '').split('.');
      const last = words.pop()!;
      if (scalars.has(last) || known.has(last)) {
        if (last.startsWith('JSONSchemaPropsOr')) refers.push(`${source.name}.JSONSchemaProps`);
        return last;
      }
      const owner = words.length === 0 ? source : all.find((each) => each.package === words.join('.'));
      if (owner === undefined)
        throw new Error(`${source.name}.${name} refers to ${type}, which is in no table`);
      refers.push(`${owner.name}.${last}`);
      return owner === source ? last : `${owner.name}.${last}`;
    };
    const fields: string[] = [];
    for (const match of body.matchAll(
      /(?:(optional|required|repeated) ([\w.]+)|map<string, ([\w.]+)>) \w+ = (\d+);/g,
    )) {
      const [, label, single, mapped, number = ''] = match;
      const field = go.get(name)?.get(Number(number));
      if (field === undefined) continue;
      const type = typeName((single ?? mapped)!);
      const written =
        mapped !== undefined
          ? `{${type}}`
          : label === 'repeated'
            ? `[${type}]${field.omitsEmpty ? '' : '!'}`
            : field.omitsZero && scalars.has(type)
              ? `${type}?`
              : !field.pointer && !field.inline && !scalars.has(type) && !known.has(type)
                ? `${type}!`
                : type;
      fields.push(`${number} ${field.inline ? '...' : field.json} ${written}`);
    }
    found.set(name, { fields, refers });
  }
  return found;
}

function wrapped(name: string, fields: readonly string[]): string {
  const lines: string[] = [];
  let line = `${name}:`;
  fields.forEach((field, index) => {
    const piece = ` ${field}${index === fields.length - 1 ? '' : ';'}`;
    if (line.length + piece.length > lineWidth) {
      lines.push(line);
      line = ` ${piece}`;
    } else line += piece;
  });
  return [...lines, line].join('\n');
}

const [api, machinery, extensions] = process.argv.slice(2);
if (api === undefined || machinery === undefined || extensions === undefined) {
  process.stderr.write('usage: generate-messages.ts API_MODULE APIMACHINERY_MODULE APIEXTENSIONS_MODULE\n');
  process.exit(2);
}
const all = sources(api, machinery, extensions);
const tables = new Map(all.map((source) => [source.name, messages(source, all)]));
const wanted = new Set<string>();
const follow = (reference: string): void => {
  if (wanted.has(reference)) return;
  const [table = '', name = ''] = reference.split('.');
  const message = tables.get(table)?.get(name);
  if (message === undefined) return;
  wanted.add(reference);
  message.refers.forEach(follow);
};
for (const { name, roots } of all) roots.forEach((root) => follow(`${name}.${root}`));

for (const { name, package: packageName } of all) {
  const lines = [...tables.get(name)!]
    .filter(([type]) => wanted.has(`${name}.${type}`))
    .map(([type, { fields }]) => wrapped(type, fields));
  const constant = name.replace(/-(\w)/, (_, letter: string) => letter.toUpperCase());
  writeFileSync(
    join(import.meta.dirname, 'messages', `${name}.ts`),
    `/** How \`${packageName}\` is encoded, in the notation\n * of MessageTypes. Written by generate-messages.ts. */\n` +
      `export const ${constant}Messages = \`\n${lines.join('\n')}\n\`;\n`,
  );
}
