/** What is used of npm's `macaroon` 3, which is CommonJS and has no types of its own. */
declare module 'macaroon' {
  /** A macaroon; its methods change it in place. */
  interface Macaroon {
    addFirstPartyCaveat(condition: string | Uint8Array): void
    /** Throws when the signature is wrong, or when `check` returns a text for a caveat. */
    verify(rootKey: Uint8Array, check: (condition: string) => string | null): void
    /** HMAC-SHA-256, 32 bytes, of all that was added so far. */
    readonly signature: Uint8Array
  }

  /** Version 2 of the JSON form; `…64` is base64. */
  interface MacaroonJson {
    readonly v: 2
    readonly l?: string
    readonly i64: string
    readonly s64: string
    readonly c: readonly { readonly i: string }[]
  }

  const library: {
    newMacaroon(options: {
      readonly identifier: Uint8Array
      readonly location: string
      readonly rootKey: Uint8Array
      readonly version: 2
    }): Macaroon
    /** Throws at anything that is no macaroon. */
    importMacaroon(source: Uint8Array | MacaroonJson): Macaroon
  }
  export default library
}
