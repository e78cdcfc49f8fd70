declare module 'pinhole:operations' {
  /** By name of the operation. */
  const operations: Readonly<Record<string, readonly [method: string, path: string]>>
  export default operations
}

/** Shape Detection API; not every browser has it. */
interface BarcodeDetector {
  detect(source: ImageBitmapSource): Promise<readonly { readonly rawValue: string }[]>
}

declare const BarcodeDetector:
  | {
      new (options: { readonly formats: readonly string[] }): BarcodeDetector
      getSupportedFormats(): Promise<readonly string[]>
    }
  | undefined
