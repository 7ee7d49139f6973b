import {
  DEFAULT_MAX_FRAME_SIZE,
  DEFAULT_WINDOW,
  LARGEST_MAX_FRAME_SIZE,
  MAX_31_BITS,
  readUint32,
} from './frame.ts';
import type { Http2Reason } from './errors.ts';

/** What this side tells the peer, and keeps to. Sizes are bytes. */
export interface LocalSettings {
  /** Bytes that the peer may send on one stream ahead of `releaseWindow`: 0 to 2^31-1. */
  readonly initialWindowSize: number;
  /** Bytes that the peer may send on the connection ahead of `releaseConnectionWindow`; at least 65535, the protocol's own. */
  readonly connectionWindowSize: number;
  /** Largest frame that is taken: 16384 to 2^24-1. */
  readonly maxFrameSize: number;
  /** Streams that the peer may have open; means nothing on the client side, where push is off. */
  readonly maxConcurrentStreams: number;
  /** Largest header list: sum over fields of name + value + 32 (RFC 9113, section 6.5.2). */
  readonly maxHeaderListSize: number;
  /** Bytes of the decoder's table. The encoder's is never larger than this either. */
  readonly headerTableSize: number;
  /** Server: whether extended CONNECT (`:protocol`, RFC 8441) is taken. Off unless set. */
  readonly enableConnectProtocol?: boolean;
  /** Settings of a private kind, by identifiers from FIRST_EXPERIMENTAL_SETTING on: a peer that does not know them ignores them. */
  readonly experimental?: ReadonlyMap<number, number>;
  /** Names that are sent never-indexed; else authorization, cookies and their like. */
  readonly sensitiveHeaders?: ReadonlySet<string>;
}

/** Identifiers of settings (RFC 9113, section 6.5.2; RFC 8441, section 3). */
const SettingId = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  ENABLE_CONNECT_PROTOCOL: 0x8,
} as const;

/** Identifiers from here on are for experimental use (RFC 9113, section 11.3). */
export const FIRST_EXPERIMENTAL_SETTING = 0xf000;
/** Of a peer, more are not kept. */
const MAX_EXPERIMENTAL_SETTINGS = 8;

/** Bytes of one entry of a SETTINGS frame. */
export const SETTING_BYTES = 6;

export type Role = 'client' | 'server';

/** The settings of {@link LocalSettings} as identifier and value in turn, as SETTINGS carries them. */
export function settingEntries(role: Role, settings: LocalSettings): number[] {
  const entries: number[] = [SettingId.HEADER_TABLE_SIZE, settings.headerTableSize];
  if (role === 'client') entries.push(SettingId.ENABLE_PUSH, 0);
  else entries.push(SettingId.MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams);
  entries.push(
    SettingId.INITIAL_WINDOW_SIZE,
    settings.initialWindowSize,
    SettingId.MAX_FRAME_SIZE,
    settings.maxFrameSize,
    SettingId.MAX_HEADER_LIST_SIZE,
    settings.maxHeaderListSize,
  );
  if (role === 'server' && settings.enableConnectProtocol === true)
    entries.push(SettingId.ENABLE_CONNECT_PROTOCOL, 1);
  for (const [id, value] of settings.experimental ?? []) entries.push(id, value);
  return entries;
}

/** What the peer has told us; the protocol's defaults until then. */
export class PeerSettings {
  headerTableSize = 4096;
  maxConcurrentStreams = Infinity;
  initialWindowSize = DEFAULT_WINDOW;
  maxFrameSize = DEFAULT_MAX_FRAME_SIZE;
  maxHeaderListSize = Infinity;
  enableConnectProtocol = false;
  /** Those of a private kind, by identifier. */
  readonly experimental = new Map<number, number>();
  /** Whether a first SETTINGS frame has come. */
  received = false;

  /**
   * Takes over the payload of a SETTINGS frame, `bytes[start..end)`, a multiple of six long.
   *
   * @param ofServer whether the peer is a server.
   * @returns the reason for which the connection must end, else undefined.
   */
  apply(bytes: Uint8Array, start: number, end: number, ofServer: boolean): Http2Reason | undefined {
    this.received = true;
    for (let at = start; at < end; at += SETTING_BYTES) {
      const id = (bytes[at]! << 8) | bytes[at + 1]!;
      const reason = this.#set(id, readUint32(bytes, at + 2), ofServer);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  #set(id: number, value: number, ofServer: boolean): Http2Reason | undefined {
    switch (id) {
      case SettingId.HEADER_TABLE_SIZE:
        this.headerTableSize = value;
        return undefined;
      case SettingId.ENABLE_PUSH:
        return value > 1 || (ofServer && value === 1) ? 'settings-value' : undefined;
      case SettingId.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        return undefined;
      case SettingId.INITIAL_WINDOW_SIZE:
        if (value > MAX_31_BITS) return 'window-overflow';
        this.initialWindowSize = value;
        return undefined;
      case SettingId.MAX_FRAME_SIZE:
        if (value < DEFAULT_MAX_FRAME_SIZE || value > LARGEST_MAX_FRAME_SIZE) return 'settings-value';
        this.maxFrameSize = value;
        return undefined;
      case SettingId.MAX_HEADER_LIST_SIZE:
        this.maxHeaderListSize = value;
        return undefined;
      case SettingId.ENABLE_CONNECT_PROTOCOL:
        if (value > 1 || (value === 0 && this.enableConnectProtocol)) return 'settings-value';
        this.enableConnectProtocol = value === 1;
        return undefined;
      default:
        if (id >= FIRST_EXPERIMENTAL_SETTING && this.experimental.size < MAX_EXPERIMENTAL_SETTINGS)
          this.experimental.set(id, value);
        return undefined;
    }
  }
}
