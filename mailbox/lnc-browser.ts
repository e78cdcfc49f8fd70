import { connect } from './connect/browser.ts'
import { LncClient, type LncConfig } from './lnc-web/client.ts'

/** lnc-web's class in a browser: `new LNC({ pairingPhrase })`, `await lnc.connect()`, `lnc.lnd.lightning.getInfo()`. */
export class LNC extends LncClient {
  constructor(config: LncConfig = {}) {
    super(connect, config)
  }
}
