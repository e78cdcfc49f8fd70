// protoc-gen-es with TypeScript's `enum` written as a constant object and a union type, since this project
// uses only TypeScript that can be erased. `npm run generate` runs it through buf.gen.yaml.
import { execFileSync } from 'node:child_process'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { CodeGeneratorResponseSchema } from '@bufbuild/protobuf/wkt'

// Not by one read: protoc's pipe may have nothing yet.
const request: Buffer[] = []
for await (const chunk of process.stdin) request.push(chunk as Buffer)
const output = execFileSync('node_modules/.bin/protoc-gen-es', { input: Buffer.concat(request) })
const response = fromBinary(CodeGeneratorResponseSchema, output)
for (const file of response.file) {
  file.content = file.content.replaceAll(
    /^export enum (\w+) \{\n([\s\S]*?)^\}/gm,
    (_, name: string, body: string) => {
      const members = body.replaceAll(/^( +\w+) = (\d+),$/gm, '$1: $2,')
      return `export const ${name} = {\n${members}} as const;\n\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`
    },
  )
}
process.stdout.write(toBinary(CodeGeneratorResponseSchema, response))
