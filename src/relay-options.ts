/** How the relay behaves, by the configuration. */
import type { RelayOptions } from '../mailbox/relay/plugin.ts'
import { clientAddress, type TrustedProxies } from '../proxy/client-address.ts'
import type { Config } from './config/load.ts'

/** The options of the relay. What it allows an address is the client's, behind proxies that are `trusted`, too. */
export function relayOptions(
  { hashmail, wspinginterval, wspongwait }: Config,
  trusted: () => TrustedProxies,
): RelayOptions {
  return {
    addressOf: ({ socket, headers }) => {
      const forwarded = headers['x-forwarded-for']
      const text = Array.isArray(forwarded) ? forwarded.join(',') : forwarded
      return clientAddress(socket.remoteAddress, text, trusted())
    },
    messageRateMs: hashmail.messagerate,
    messageBurst: hashmail.messageburstallowance,
    staleTimeoutMs: hashmail.staletimeout,
    wsPingIntervalMs: wspinginterval,
    wsPongWaitMs: wspongwait,
    maxBoxes: hashmail.maxboxes,
    maxBoxesPerAddress: hashmail.maxboxesperaddress,
    maxStreamsPerAddress: hashmail.maxstreamsperaddress,
    maxBufferedBytes: hashmail.maxbufferedbytes,
    maxBufferedBytesPerAddress: hashmail.maxbufferedbytesperaddress,
    maxMessageBytes: hashmail.maxmessagebytes,
    maxBoxMessages: hashmail.maxboxmessages,
    maxBoxBytes: hashmail.maxboxbytes,
    maxUnreadMessages: hashmail.maxunreadmessages,
    messageTimeoutMs: hashmail.messagetimeout,
  }
}
