import type { RelayFailure } from '../../../mailbox/transport/failure.ts'
import type {
  RelayClient,
  RelayStream,
  SendStream,
  StreamEvents,
} from '../../../mailbox/transport/relay-client.ts'
import { toHex } from '../../../src/base/bytes.ts'

/** A stream that a test drives by hand. */
export interface FakeStream {
  readonly kind: 'receive' | 'send'
  readonly id: string
  readonly events: StreamEvents
  readonly written: Uint8Array[]
  closed: boolean
}

/** A relay client whose every answer a test gives itself. */
export class FakeRelay implements RelayClient {
  readonly streams: FakeStream[] = []
  readonly log: string[] = []
  /** What `createBox` answers. */
  creation: RelayFailure | undefined

  receive(streamId: Uint8Array, events: StreamEvents): RelayStream {
    return this.#open('receive', streamId, events)
  }

  send(streamId: Uint8Array, events: StreamEvents): SendStream {
    return this.#open('send', streamId, events)
  }

  async createBox(streamId: Uint8Array): Promise<RelayFailure | undefined> {
    this.log.push(`create ${toHex(streamId)}`)
    return this.creation
  }

  async deleteBox(streamId: Uint8Array): Promise<RelayFailure | undefined> {
    this.log.push(`delete ${toHex(streamId)}`)
    return undefined
  }

  async close(): Promise<void> {}

  /** The newest stream of a kind. */
  last(kind: 'receive' | 'send'): FakeStream {
    const found = this.streams.findLast((stream) => stream.kind === kind)
    if (!found) throw new Error(`no ${kind} stream was opened`)
    return found
  }

  count(kind: 'receive' | 'send'): number {
    return this.streams.filter((stream) => stream.kind === kind).length
  }

  #open(kind: 'receive' | 'send', streamId: Uint8Array, events: StreamEvents): SendStream {
    const stream: FakeStream = { kind, id: toHex(streamId), events, written: [], closed: false }
    this.streams.push(stream)
    this.log.push(`${kind} ${stream.id}`)
    return {
      write: async (message) => void stream.written.push(message),
      close: async () => {
        stream.closed = true
        this.log.push(`close ${kind}`)
      },
    }
  }
}
