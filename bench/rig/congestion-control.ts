import type { Column } from './rig.ts';

/**
 * The same column, whose TCP connections are all controlled in the named way, whatever the machine's own is: those of the
 * load programs and servers too. BBR paces what it sends by timers, between two ends of one machine as well, and a
 * namespace inherits it.
 *
 * @param name as in net.ipv4.tcp_allowed_congestion_control; the kernel lets a namespace have only these
 */
export function withCongestionControl(column: Column, name: string): Column {
  return {
    ...column,
    async startHops(pair) {
      for (const netns of [pair.client, pair.server])
        await netns.sysctl({ 'net.ipv4.tcp_congestion_control': name });
      return column.startHops(pair);
    },
  };
}
