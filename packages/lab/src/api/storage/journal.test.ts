import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import type { ApiObject } from '../object.ts';
import { Journal, JournalDamagedError } from './journal.ts';
import { ObjectStore } from './object-store.ts';

const object = (name: string): ApiObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const resource = 'configmaps.';

describe('Journal', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lab-journal-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** What a store finds in the directory. */
  const reopened = (): { names: string[]; revision: number } => {
    const journal = new Journal(directory);
    const store = new ObjectStore({ journal });
    journal.close();
    return {
      names: [...store.table(resource).values()].map((each) => each.metadata.name).sort(),
      revision: store.resourceVersion,
    };
  };

  it('holds what was stored, and not what was deleted', () => {
    const journal = new Journal(directory);
    const store = new ObjectStore({ journal });
    for (const name of ['a', 'b', 'c']) store.put(resource, object(name));
    store.delete(resource, undefined, 'b');
    journal.close();
    expect(reopened()).to.deep.equal({ names: ['a', 'c'], revision: 4 });
  });

  it('holds the same after any number of snapshots', () => {
    const journal = new Journal(directory, { snapshotAfter: 3 });
    const store = new ObjectStore({ journal });
    for (const name of ['a', 'b', 'c', 'd', 'e']) store.put(resource, object(name));
    for (const name of ['a', 'e']) store.delete(resource, undefined, name);
    journal.close();
    expect(reopened()).to.deep.equal({ names: ['b', 'c', 'd'], revision: 7 });
  });

  it('ignores changes that a snapshot holds already, as a crash between its two steps leaves them', () => {
    const journal = new Journal(directory, { snapshotAfter: 3 });
    const store = new ObjectStore({ journal });
    store.put(resource, object('a'));
    store.delete(resource, undefined, 'a');
    const before = readFileSync(join(directory, 'journal.jsonl'));
    store.put(resource, object('b'));
    journal.close();
    writeFileSync(join(directory, 'journal.jsonl'), before);
    expect(reopened()).to.deep.equal({ names: ['b'], revision: 3 });
  });

  it('ignores a line that was cut short, and writes on behind the whole ones', () => {
    const journal = new Journal(directory);
    new ObjectStore({ journal }).put(resource, object('a'));
    journal.close();
    appendFileSync(join(directory, 'journal.jsonl'), '{"resource":"configm');
    const again = new Journal(directory);
    new ObjectStore({ journal: again }).put(resource, object('b'));
    again.close();
    expect(reopened()).to.deep.equal({ names: ['a', 'b'], revision: 2 });
  });

  it('refuses a file that is damaged before its end', () => {
    writeFileSync(join(directory, 'journal.jsonl'), 'rubbish\n{}\n');
    expect(() => new Journal(directory)).to.throw(JournalDamagedError, 'line 1');
  });
});
