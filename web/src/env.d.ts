declare module 'pinhole:operations' {
  /** By name of the operation. */
  const operations: Readonly<Record<string, readonly [method: string, path: string]>>
  export default operations
}
