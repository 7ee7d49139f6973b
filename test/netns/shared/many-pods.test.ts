import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { NetworkNamespace } from '@ambient/linux';
import { reaches } from '../function/call.ts';
import { SharedMesh } from './shared-mesh.ts';

const PODS = 500;
const ECHO_PORT = 7000;
/** All of them, in two workers, on a machine that does other things too. */
const DEADLINE_MS = 15_000;
/** Garbage of their arrival included, which is collected when memory is wanted. */
const MAX_BYTES_PER_POD = 300_000;

/** Resident memory of a process, in bytes. */
function memoryOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

describe(`${PODS} pods on one node`, () => {
  let mesh: SharedMesh;
  const namespaces: NetworkNamespace[] = [];

  before(async function () {
    this.timeout(60_000);
    mesh = await SharedMesh.start({ east: ['client'], west: ['server'] }, { RUST_LOG: 'info,inpod=warn' });
    await mesh.serve('server', 'echo', { port: ECHO_PORT });
    for (let i = 0; i < PODS; i++) namespaces.push(NetworkNamespace.create());
  });
  after(async function () {
    this.timeout(60_000);
    await mesh.destroy();
    for (const namespace of namespaces) namespace.close();
  });

  it('are taken and let go while traffic flows, and cost little each', async function () {
    this.timeout(60_000);
    const { pid } = mesh.ztunnel('east');
    const before = memoryOf(pid);
    const startedMs = performance.now();
    for (const [index, netns] of namespaces.entries()) await mesh.handOver('east', `many-${index}`, netns);
    const addMs = performance.now() - startedMs;
    const bytes = (memoryOf(pid) - before) / PODS;
    expect(await reaches(mesh.pod('client').netns, mesh.pod('server').netns.ipv4, ECHO_PORT)).to.equal(true);
    const leavingMs = performance.now();
    for (const index of namespaces.keys()) await mesh.takeBack('east', `many-${index}`);
    const removeMs = performance.now() - leavingMs;
    if (process.env['MEASURE'] !== undefined) console.log({ addMs, removeMs, bytes });
    expect(addMs, 'ms to add all').to.be.below(DEADLINE_MS);
    expect(removeMs, 'ms to remove all').to.be.below(DEADLINE_MS);
    expect(bytes, 'bytes of memory per pod').to.be.below(MAX_BYTES_PER_POD);
    const dump = (await mesh.admin('east', '/config_dump')).json() as { workloadState: object };
    expect(Object.keys(dump.workloadState)).to.deep.equal(['uid-client']);
    expect(await reaches(mesh.pod('client').netns, mesh.pod('server').netns.ipv4, ECHO_PORT)).to.equal(true);
  });
});
