import { expect } from 'chai';
import { waitFor, waitThroughFailures } from './wait-for.ts';

/** Gives the answers one after the other, then the last for ever; errors are thrown. */
function answers(
  ...given: readonly (string | false | undefined | Error)[]
): () => string | false | undefined {
  const left = [...given];
  return () => {
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

const failed = (wait: Promise<unknown>): Promise<string> =>
  wait.then(
    () => 'it did not fail',
    (error: unknown) => (error as Error).message,
  );

describe('waitFor', () => {
  it('looks until there is an answer, an empty one too', async () => {
    expect(await waitFor(answers(undefined, false, 'here'), 'a word')).to.equal('here');
    expect(await waitFor(answers(undefined, ''), 'a word')).to.equal('');
  });

  it('says what was waited for in vain, by what is known at the end', async () => {
    expect(await failed(waitFor(answers(false), 'a word', 10))).to.equal('waited 10 ms in vain for a word');
    expect(await failed(waitFor(answers(false), () => Promise.resolve('nothing yet'), 0))).to.contain(
      'nothing yet',
    );
  });

  it('does not wait through a failure', async () => {
    expect(await failed(waitFor(answers(new Error('refused'), 'here'), 'a word'))).to.equal('refused');
  });

  it('does where it is asked to, and names the failure that it ended with', async () => {
    expect(await waitThroughFailures(answers(new Error('refused'), 'here'), 'a word')).to.equal('here');
    expect(await failed(waitThroughFailures(answers(new Error('refused')), 'a word', 10))).to.equal(
      'waited 10 ms in vain for a word: refused',
    );
    expect(
      await failed(waitThroughFailures(answers(new Error('refused'), undefined), 'a word', 10)),
    ).to.equal('waited 10 ms in vain for a word');
  });
});
