#!/usr/bin/env node
import { run } from './program.ts'

// A reader that goes away ends its pipe, not the hub.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.exitCode = await run(process.argv.slice(2), process)
