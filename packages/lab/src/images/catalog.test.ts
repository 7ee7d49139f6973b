import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

import { commandLine, ImageCatalog, projectImages, UnknownImageError } from './catalog.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const images = projectImages(root, process.execPath);
const catalog = new ImageCatalog(images);

describe('images of the lab', () => {
  it('are found whatever registry, tag or digest they are named with', () => {
    for (const name of [
      'ambient/ztunnel',
      'ambient/ztunnel:dev',
      'localhost:5000/ambient/ztunnel:1.2',
      `example.com/x/ambient/ztunnel@sha256:${'0'.repeat(64)}`,
    ])
      expect(catalog.find(name), name).to.equal(images['ambient/ztunnel']);
  });

  it('name programs that exist', () => {
    for (const [name, { entrypoint }] of Object.entries(images))
      for (const word of entrypoint.filter((each) => each.startsWith('/')))
        expect(existsSync(word), `${name}: ${word}`).to.equal(true);
  });

  it('are listed to who names another, also one like a member of every object', () => {
    for (const name of ['nginx', 'constructor', '__proto__', ''])
      expect(() => catalog.find(name)).to.throw(UnknownImageError, 'ambient/control-plane');
  });

  it('run what the container says instead of their own', () => {
    const image = { entrypoint: ['prog'], arguments: ['default'] };
    const expand = (text: string): string => text.replace('$(X)', 'x');
    expect(commandLine(image, {}, expand)).to.deep.equal(['prog', 'default']);
    expect(commandLine(image, { args: ['$(X)'] }, expand)).to.deep.equal(['prog', 'x']);
    expect(commandLine(image, { command: ['other'] }, expand)).to.deep.equal(['other']);
    expect(commandLine(image, { command: ['other'], args: ['y'] }, expand)).to.deep.equal(['other', 'y']);
  });
});
