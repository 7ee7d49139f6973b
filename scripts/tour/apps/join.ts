import { connect } from 'node:net';
import type { NetConnectOpts, Socket } from 'node:net';
import { pipeline } from 'node:stream';

// A peer that goes away early ends its own call and nothing else.
const ignore = (): void => undefined;

/** What a server does with each connection to join it to another place, bytes as they are. */
export function joinTo(place: NetConnectOpts): (outside: Socket) => void {
  return (outside) => {
    const inside = connect(place);
    pipeline(outside, inside, ignore);
    pipeline(inside, outside, ignore);
  };
}
