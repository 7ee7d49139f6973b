/** The JSONPath of printer columns: members, indexes, `*`, and filters that compare a member with a constant. */
import { isJsonObject } from '../object.ts';

type Step = (value: unknown) => readonly unknown[];

const memberStep = /^\.((?:[^.[\]*\\]|\\.)+)/;
const quotedStep = /^\[\s*(['"])(.*?)\1\s*\]/;
const indexStep = /^\[\s*(-?\d+)\s*\]/;
const wildcardStep = /^(?:\.\*|\[\s*\*\s*\])/;
const filterStep =
  /^\[\?\(\s*@((?:\.[\w$-]+)+)\s*(==|!=)\s*(?:(['"])(.*?)\3|(true|false|-?\d+(?:\.\d+)?))\s*\)\]/;

/** The values that a path finds in an object, in order; none for a path that cannot be read. */
export function compileJsonPath(path: string): (object: unknown) => readonly unknown[] {
  const steps: Step[] = [];
  let rest = path.replace(/^\{|\}$/g, '').replace(/^\$/, '');
  if (rest !== '' && !/^[.[]/.test(rest)) rest = `.${rest}`;
  while (rest !== '') {
    const [step, length] = readStep(rest);
    if (step === undefined) return () => [];
    steps.push(step);
    rest = rest.slice(length);
  }
  return (object) => {
    let values: readonly unknown[] = [object];
    for (const step of steps) values = values.flatMap(step);
    return values;
  };
}

function readStep(text: string): [Step | undefined, number] {
  const wildcard = wildcardStep.exec(text);
  if (wildcard !== null)
    return [(value) => (isJsonObject(value) ? Object.values(value) : itemsOf(value)), wildcard[0].length];
  const member = memberStep.exec(text);
  if (member !== null) return [memberOf(member[1]!.replace(/\\(.)/g, '$1')), member[0].length];
  const quoted = quotedStep.exec(text);
  if (quoted !== null) return [memberOf(quoted[2]!), quoted[0].length];
  const index = indexStep.exec(text);
  if (index !== null) {
    const at = Number(index[1]);
    return [
      (value) => {
        const item = itemsOf(value).at(at);
        return item === undefined ? [] : [item];
      },
      index[0].length,
    ];
  }
  const filter = filterStep.exec(text);
  if (filter === null) return [undefined, 0];
  const [whole, path, operator, , quotedText, bare] = filter;
  const find = compileJsonPath(path!);
  const wanted: unknown = bare === undefined ? quotedText : JSON.parse(bare);
  return [
    (value) => itemsOf(value).filter((item) => (find(item)[0] === wanted) === (operator === '==')),
    whole.length,
  ];
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function memberOf(name: string): Step {
  return (value) => (isJsonObject(value) && Object.hasOwn(value, name) ? [value[name]] : []);
}
