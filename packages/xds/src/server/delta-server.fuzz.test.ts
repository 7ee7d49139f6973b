import { fuzzBudget } from '@ambient/testkit';
import { typeUrl } from '@ambient/wire';
import { expect } from 'chai';
import fc from 'fast-check';

import type { ResourceTable } from './resource-table.ts';
import { Bench, node, resource } from './server.test-data.ts';
import type { ScriptedClient } from './server.test-data.ts';

const urls = [typeUrl.authorization, typeUrl.address] as const;
const name = fc.constantFrom('a', 'b', 'c', 'd');
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      url: fc.constantFrom(...urls),
      puts: fc.array(fc.tuple(name, fc.constantFrom('1', '2', '3')), { maxLength: 3 }),
      removes: fc.array(name, { maxLength: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), error: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('full' as const), full: fc.boolean() }) },
);

describe('DeltaServer under fuzz', () => {
  it('brings a client that applies all responses to the state of the tables [fuzz]', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(step, { maxLength: 25, size: 'max' }),
        async (onDemand, steps) => {
          const bench = new Bench();
          const tables: Record<string, ResourceTable> = {
            [typeUrl.authorization]: bench.policies,
            [typeUrl.address]: bench.addresses,
          };
          let answered = 0;
          const open = async (before?: ScriptedClient): Promise<ScriptedClient> => {
            const client = await bench.connect();
            answered = 0;
            for (const [key, content] of before?.contents ?? []) client.contents.set(key, content);
            for (const url of urls) {
              const held = before?.held.get(url) ?? new Map<string, string>();
              client.held.set(url, new Map(held));
              const byName = onDemand && url === typeUrl.address;
              client.send({
                node,
                typeUrl: url,
                initialResourceVersions: Object.fromEntries(held),
                ...(byName ? { resourceNamesSubscribe: ['a', 'b'], resourceNamesUnsubscribe: ['*'] } : {}),
              });
            }
            return client;
          };
          let client = await open();
          for (const each of steps) {
            switch (each.do) {
              case 'apply': {
                const puts = each.puts.map(([key, content]) =>
                  resource(key, content, each.url === typeUrl.authorization ? { version: '' } : {}),
                );
                tables[each.url]!.apply(puts, each.removes);
                break;
              }
              case 'settle':
                bench.settle();
                break;
              case 'answer':
                if (answered < client.responses.length)
                  client.answerTo(client.responses[answered++]!, each.error ? 'no' : undefined);
                break;
              case 'reconnect':
                client.events!.ended();
                client = await open(client);
                break;
              case 'full':
                client.writable = !each.full;
                if (client.writable) client.events!.drained();
                break;
            }
          }
          client.writable = true;
          client.events!.drained();
          bench.settle();
          while (answered < client.responses.length) client.answerTo(client.responses[answered++]!);

          for (const url of urls) {
            const wanted = [...tables[url]!.entries()].filter(
              (entry) => !onDemand || url === typeUrl.authorization || ['a', 'b'].includes(entry.name),
            );
            expect([...client.held.get(url)!].sort()).deep.equal(
              wanted.map((entry) => [entry.name, entry.version]).sort(),
            );
            for (const { name: key, resource: it } of wanted)
              expect(client.contents.get(`${url} ${key}`)).equal(Buffer.from(it.bytes).toString());
          }
          expect(client.closed).equal(undefined);
          client.events!.ended();
          bench.server.stop();
          expect(bench.clock.pendingTimers).equal(0);
        },
      ),
      fuzzBudget(),
    );
  });
});
