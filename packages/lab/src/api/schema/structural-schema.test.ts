import { expect } from 'chai';

import type { JsonObject } from '../object.ts';
import { describeProblems } from './field-problem.ts';
import type { JsonSchema, ValidationRule } from './json-schema.ts';
import { SchemaError } from './schema-node.ts';
import { StructuralSchema } from './structural-schema.ts';

function schemaOf(spec: JsonSchema): StructuralSchema {
  return StructuralSchema.parse({ type: 'object', properties: { spec } });
}

function object(spec: unknown): JsonObject {
  return { apiVersion: 'a.example/v1', kind: 'Thing', metadata: { name: 'x' }, spec };
}

/** `path: message` of each problem with a spec. */
function problems(spec: JsonSchema, value: unknown): string[] {
  return schemaOf(spec)
    .validate(object(value))
    .map(({ path, message }) => `${path}: ${message}`);
}

describe('structural schemas', () => {
  describe('prune', () => {
    const schema = StructuralSchema.parse({
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            known: { type: 'string' },
            list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
            map: { type: 'object', additionalProperties: { type: 'object', properties: { a: {} } } },
            open: {
              type: 'object',
              'x-kubernetes-preserve-unknown-fields': true,
              properties: { closed: { type: 'object', properties: {} } },
            },
            pod: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: {} },
          },
        },
      },
    });

    it('removes what is not known, and says where it was', () => {
      const it = object({
        known: 'a',
        typo: 1,
        list: [{ a: 'b' }, { b: 'c' }],
        map: { any: { a: 1, z: 2 } },
        open: { free: { deep: 1 }, closed: { gone: 1 } },
        pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: {} },
      });
      expect(schema.prune({ ...it, extra: 1 })).to.deep.equal([
        'extra',
        'spec.list[1].b',
        'spec.map.any.z',
        'spec.open.closed.gone',
        'spec.pod.spec',
        'spec.typo',
      ]);
      expect(it['spec']).to.deep.equal({
        known: 'a',
        list: [{ a: 'b' }, {}],
        map: { any: { a: 1 } },
        open: { free: { deep: 1 }, closed: {} },
        pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } },
      });
    });

    it('leaves metadata alone', () => {
      const it = { ...object({}), metadata: { name: 'x', labels: { a: 'b' }, whatever: 1 } };
      expect(schema.prune(it)).to.deep.equal([]);
      expect(it.metadata).to.have.property('whatever', 1);
    });

    it('survives a field called __proto__', () => {
      const it = JSON.parse('{"spec":{"__proto__":{"polluted":1},"known":"a"}}') as JsonObject;
      expect(schema.prune(it)).to.deep.equal(['spec.__proto__']);
      expect(({} as JsonObject)['polluted']).to.equal(undefined);
    });
  });

  describe('apply defaults', () => {
    const schema = schemaOf({
      type: 'object',
      properties: {
        replicas: { type: 'integer', default: 1 },
        nested: { type: 'object', default: {}, properties: { deep: { type: 'string', default: 'd' } } },
        absent: { type: 'object', properties: { deep: { type: 'string', default: 'd' } } },
        ports: {
          type: 'array',
          items: { type: 'object', properties: { protocol: { type: 'string', default: 'TCP' } } },
        },
        nullable: { type: 'string', nullable: true, default: 'x' },
        gone: { type: 'string' },
      },
    });
    const withDefaults = (spec: JsonObject): unknown => {
      const it = object(spec);
      schema.applyDefaults(it);
      return it['spec'];
    };

    it('where a field is missing, also within defaults, and not within what is absent', () => {
      expect(withDefaults({ ports: [{}] })).to.deep.equal({
        replicas: 1,
        nested: { deep: 'd' },
        ports: [{ protocol: 'TCP' }],
        nullable: 'x',
      });
    });

    it('for null where null is not allowed; other such nulls go away', () => {
      expect(withDefaults({ replicas: null, nullable: null, gone: null, nested: {} })).to.deep.equal({
        replicas: 1,
        nested: { deep: 'd' },
        nullable: null,
      });
    });

    it('without sharing them between objects', () => {
      const one = withDefaults({}) as { nested: JsonObject };
      one.nested['deep'] = 'changed';
      expect(withDefaults({})).to.have.nested.property('nested.deep', 'd');
    });
  });

  describe('validate, in the words of an API server', () => {
    const cases: [string, JsonSchema, unknown, string[]][] = [
      [
        'type',
        { type: 'object', properties: { n: { type: 'integer' } } },
        { n: 'a' },
        ['spec.n: Invalid value: "string": spec.n in body must be of type integer: "string"'],
      ],
      [
        'a fraction where an integer should be',
        { type: 'integer' },
        1.5,
        ['spec: Invalid value: "number": spec in body must be of type integer: "number"'],
      ],
      ['an integer where a number may be', { type: 'number' }, 1, []],
      [
        'null',
        { type: 'string' },
        null,
        ['spec: Invalid value: "null": spec in body must be of type string: "null"'],
      ],
      ['null that is allowed', { type: 'string', nullable: true }, null, []],
      [
        'int-or-string',
        { 'x-kubernetes-int-or-string': true },
        true,
        ['spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'],
      ],
      ['required', { type: 'object', required: ['host'] }, {}, ['spec.host: Required value']],
      [
        'enum',
        { type: 'string', enum: ['A', 'B'] },
        'C',
        ['spec: Unsupported value: "C": supported values: "A", "B"'],
      ],
      [
        'pattern',
        { type: 'string', pattern: '^[a-z]+$' },
        'A',
        ['spec: Invalid value: "A": spec in body should match \'^[a-z]+$\''],
      ],
      [
        'a long text',
        { type: 'string', maxLength: 2 },
        'abc',
        ['spec: Too long: may not be more than 2 bytes'],
      ],
      ['a text of few but wide characters', { type: 'string', maxLength: 2 }, '🙂🙂', []],
      [
        'a short text',
        { type: 'string', minLength: 1 },
        '',
        ['spec: Invalid value: "": spec in body should be at least 1 chars long'],
      ],
      [
        'too small',
        { type: 'integer', minimum: 1 },
        0,
        ['spec: Invalid value: 0: spec in body should be greater than or equal to 1'],
      ],
      [
        'too great',
        { type: 'integer', maximum: 5, exclusiveMaximum: true },
        5,
        ['spec: Invalid value: 5: spec in body should be less than 5'],
      ],
      [
        'no multiple',
        { type: 'integer', multipleOf: 3 },
        4,
        ['spec: Invalid value: 4: spec in body should be a multiple of 3'],
      ],
      [
        'beyond 32 bits',
        { type: 'integer', format: 'int32' },
        2 ** 31,
        ['spec: Invalid value: 2147483648: spec in body must be of type int32: "2147483648"'],
      ],
      [
        'too many items',
        { type: 'array', maxItems: 1, items: {} },
        [1, 2],
        ['spec: Too many: 2: must have at most 1 item'],
      ],
      [
        'too few items',
        { type: 'array', minItems: 1, items: {} },
        [],
        ['spec: Invalid value: 0: spec in body should have at least 1 items'],
      ],
      [
        'items',
        { type: 'array', items: { type: 'string' } },
        ['a', 1],
        ['spec[1]: Invalid value: "integer": spec[1] in body must be of type string: "integer"'],
      ],
      [
        'too many properties',
        { type: 'object', maxProperties: 1, additionalProperties: {} },
        { a: 1, b: 2 },
        ['spec: Too many: 2: must have at most 1 item'],
      ],
      [
        'too few properties',
        { type: 'object', minProperties: 1 },
        {},
        ['spec: Invalid value: 0: spec in body should have at least 1 properties'],
      ],
      [
        'a value of a map',
        { type: 'object', additionalProperties: { type: 'string' } },
        { k: 1 },
        ['spec.k: Invalid value: "integer": spec.k in body must be of type string: "integer"'],
      ],
      [
        'format',
        { type: 'string', format: 'ipv4' },
        '1.2.3',
        ['spec: Invalid value: "1.2.3": spec in body must be of type ipv4: "1.2.3"'],
      ],
      ['a format that nobody knows', { type: 'string', format: 'poem' }, 'x', []],
      [
        'anyOf',
        { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b', 'c'] }] },
        {},
        [
          '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
          'spec.a: Required value',
        ],
      ],
      [
        'oneOf, none',
        { type: 'object', oneOf: [{ required: ['a'] }] },
        {},
        [
          '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid',
          'spec.a: Required value',
        ],
      ],
      [
        'oneOf, two',
        { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
        { a: 1, b: 1 },
        [
          '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        ],
      ],
      [
        'allOf',
        { type: 'string', allOf: [{ minLength: 1 }, { maxLength: 3 }] },
        'abcd',
        [
          'spec: Too long: may not be more than 3 bytes',
          '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf)',
        ],
      ],
      [
        'not',
        { type: 'object', not: { required: ['a'] } },
        { a: 1 },
        ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
      ],
      [
        'a set',
        { type: 'array', 'x-kubernetes-list-type': 'set', items: {} },
        ['a', 'b', 'a', 'a'],
        ['spec[2]: Duplicate value: "a"'],
      ],
      [
        'a map by one key',
        {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object' },
        },
        [{ name: 'a' }, { name: 'a', x: 1 }],
        ['spec[1]: Duplicate value: {"name":"a"}'],
      ],
      [
        'a map whose item is none',
        { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: {} },
        ['a'],
        ['spec[0]: Invalid value: "a": must be an object for an array of list-type map'],
      ],
    ];
    for (const [what, schema, value, wanted] of cases)
      it(what, () => expect(problems(schema, value)).to.deep.equal(wanted));

    it('metadata is what every object has, and more where the schema asks for it', () => {
      const schema = StructuralSchema.parse({
        type: 'object',
        properties: {
          metadata: { type: 'object', properties: { name: { type: 'string', pattern: '^default$' } } },
        },
      });
      expect(
        schema.validate({ ...object({}), metadata: { name: 'x', labels: { a: 1 } } }).map(({ path }) => path),
      ).to.deep.equal(['metadata.labels.a', 'metadata.name']);
    });

    it('several problems as one message', () => {
      const all = schemaOf({ type: 'object', required: ['a', 'b'] }).validate(object({}));
      expect(describeProblems(all)).to.equal('[spec.a: Required value, spec.b: Required value]');
      expect(describeProblems(all.slice(1))).to.equal('spec.b: Required value');
    });
  });

  describe('formats', () => {
    const cases: [string, string, string][] = [
      ['date-time', '2026-01-02T03:04:05Z', '2026-01-02'],
      ['date', '2026-01-02', '2026-13-02'],
      ['duration', '1h2m0.5s', '1 hour'],
      ['byte', 'aGk=', 'not base64!'],
      ['uri', 'https://a.example/x', 'no uri'],
      ['email', 'a@b.example', 'a b'],
      ['hostname', 'a-b.example', '-a.example'],
      ['ipv6', '2001:db8::1', '1.2.3.4'],
      ['cidr', '10.0.0.0/8', '10.0.0.0/33'],
      ['uuid', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '6ba7b810'],
      ['mac', '00:00:5e:00:53:01', '00:00'],
    ];
    for (const [format, good, bad] of cases)
      it(format, () => {
        expect(problems({ type: 'string', format }, good)).to.deep.equal([]);
        expect(problems({ type: 'string', format }, bad)).to.have.length(1);
      });
  });

  describe('rules in CEL', () => {
    const integer: JsonSchema = { type: 'integer' };
    const ruled = (...rules: ValidationRule[]): StructuralSchema =>
      schemaOf({
        type: 'object',
        properties: {
          min: integer,
          max: integer,
          host: { type: 'string' },
          namespace: { type: 'string' },
          rules: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            items: {
              type: 'object',
              properties: { name: { type: 'string' }, weight: integer },
              'x-kubernetes-validations': [
                { rule: 'self.weight >= oldSelf.weight', message: 'weights only grow' },
              ],
            },
          },
        },
        'x-kubernetes-validations': rules,
      });
    const check = (rule: ValidationRule, spec: JsonObject, old?: JsonObject): string[] =>
      ruled(rule)
        .validate(object(spec), old === undefined ? undefined : object(old))
        .map(({ path, message }) => `${path}: ${message}`);

    it('hold or not', () => {
      const rule = { rule: '!has(self.max) || self.min + 1 <= self.max', message: ' min before max ' };
      expect(check(rule, { min: 1, max: 2 })).to.deep.equal([]);
      expect(check(rule, { min: 1 })).to.deep.equal([]);
      expect(check(rule, { min: 2, max: 2 })).to.deep.equal(['spec: Invalid value: min before max']);
    });

    it('say their own message, or the rule', () => {
      expect(check({ rule: 'self.min > 1' }, { min: 1 })).to.deep.equal([
        'spec: Invalid value: failed rule: self.min > 1',
      ]);
      const told = {
        rule: 'self.min > 1',
        messageExpression: '"got " + string(self.min)',
        message: 'unused',
      };
      expect(check(told, { min: 1 })).to.deep.equal(['spec: Invalid value: got 1']);
    });

    it('name a field and a reason', () => {
      const rule = {
        rule: 'has(self.host)',
        reason: 'FieldValueRequired',
        fieldPath: '.host',
        message: 'must be set',
      };
      expect(ruled(rule).validate(object({}))).to.deep.equal([
        { path: 'spec.host', type: 'FieldValueRequired', message: 'Required value: must be set' },
      ]);
    });

    it('compare with what was, where there was something', () => {
      const rule = { rule: 'self.host == oldSelf.host', message: 'host is immutable' };
      expect(check(rule, { host: 'a' })).to.deep.equal([]);
      expect(check(rule, { host: 'a' }, { host: 'b' })).to.deep.equal([
        'spec: Invalid value: host is immutable',
      ]);
    });

    it('compare items of lists by their keys', () => {
      const item = (name: string, weight: number): JsonObject => ({ name, weight });
      const found = check(
        { rule: 'true' },
        { rules: [item('b', 1), item('a', 1), item('c', 0)] },
        { rules: [item('a', 2), item('b', 1)] },
      );
      expect(found).to.deep.equal(['spec.rules[1]: Invalid value: weights only grow']);
    });

    it('reach fields whose name CEL keeps for itself', () => {
      expect(check({ rule: "self.__namespace__ == 'a'" }, { namespace: 'a' })).to.deep.equal([]);
    });

    it('may call the libraries that CRDs of meshes use', () => {
      for (const rule of [
        "isIP('10.0.0.1')",
        "!isCIDR('10.0.0.1')",
        "url('https://a.example:8/x').getPort() == '8'",
        "'abc'.find('b+') == 'b'",
        "['a', 'b'].isSorted()",
        "duration('2s') > duration('1s')",
      ])
        expect(check({ rule }, {}), rule).to.deep.equal([]);
    });

    it('that fail are problems of the object', () => {
      expect(check({ rule: 'self.host.size() > 0' }, {})[0]).to.match(
        /^spec: Invalid value: "object": No such key: host evaluating rule: /,
      );
    });

    it('that cannot be compiled are told once and skipped', () => {
      const told: string[] = [];
      const schema = StructuralSchema.parse(
        { type: 'object', 'x-kubernetes-validations': [{ rule: 'nobody.knows(self)' }, { rule: 'self +' }] },
        { onUnsupportedRule: ({ rule }) => told.push(rule) },
      );
      expect(schema.validate(object({}))).to.deep.equal([]);
      expect(schema.validate(object({}))).to.deep.equal([]);
      expect(told).to.deep.equal(['nobody.knows(self)', 'self +']);
    });
  });

  describe('refuse, by the place in the schema', () => {
    const deep = (levels: number): JsonSchema =>
      levels === 0 ? {} : { type: 'object', properties: { a: deep(levels - 1) } };
    const cases: [string, unknown, string][] = [
      [
        'a schema that is none',
        { properties: { spec: 7 } },
        'openAPIV3Schema.properties[spec]: must be an object',
      ],
      [
        'properties that are a list',
        { properties: [] },
        'openAPIV3Schema.properties: must be of type object: "array"',
      ],
      [
        'a pattern that is none',
        { properties: { a: { pattern: '(' } } },
        'openAPIV3Schema.properties[a].pattern',
      ],
      ['rules without a rule', { 'x-kubernetes-validations': [{}] }, 'each must have a rule'],
      ['endless nesting', deep(5000), 'nested deeper than 200 schemas'],
    ];
    for (const [what, schema, message] of cases)
      it(what, () =>
        expect(() => StructuralSchema.parse(schema as JsonSchema)).to.throw(SchemaError, message),
      );
  });
});
