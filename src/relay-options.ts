/** How the relay behaves, by the configuration. */
import type { RelayOptions } from '../mailbox/relay/plugin.ts'
import type { Config } from './config/load.ts'

/** The options of the relay. */
export function relayOptions({ hashmail, wspinginterval, wspongwait }: Config): RelayOptions {
  return {
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
