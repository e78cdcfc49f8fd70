/** `pinhole/client`: clients that pay for what asks for payment by L402. */
export { PinholeError, isPinholeError, type ErrorCode } from '../base/errors.ts'
export { decodeInvoice, type DecodedInvoice } from '../bolt11/decode.ts'
export { memoryTokens, type BoughtToken, type BoughtTokens } from './bought-token.ts'
export { payingFetch, type PayingFetchOptions, type PayingOptions } from './fetch.ts'
export { payingInterceptor, type PayingInterceptorOptions } from './interceptor.ts'
export { nodeWallet, type PayingNode } from './node-wallet.ts'
export { tokenFiles } from './token-files.ts'
export type { Payment, PaymentState, PayOptions, Wallet } from './wallet.ts'
