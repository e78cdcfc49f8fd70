/** The port that says what a request costs. */
import type { Service } from './service.ts'

/** Which request is to be priced. */
export interface PriceRequest {
  readonly service: Service
  readonly method: string
  /** Decoded. */
  readonly path: string
}

/** Says what a token for a request costs, in millisatoshis; 0 lets it through for nothing. */
export interface Pricer {
  price(request: PriceRequest): bigint | Promise<bigint>
}

/** The price that is written at the service. A service whose price is to come from elsewhere has none. */
export const fixedPricer: Pricer = {
  price({ service }) {
    if (!service.dynamicPrice) return service.priceMsat
    throw new Error('dynamicprice.enabled is set, and this version asks no price service')
  },
}
