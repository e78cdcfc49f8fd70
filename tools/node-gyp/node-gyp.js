#!/usr/bin/env node
/**
 * Compiles native packages where nothing but the package registry can be reached: when node's own headers lie
 * beside its binary, npm's node-gyp is told of them; otherwise it downloads them as ever.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const prefix = path.resolve(process.execPath, '..', '..')
const header = path.join(prefix, 'include', 'node', 'node_version.h')
const numbers = ['MAJOR', 'MINOR', 'PATCH']

function describesThisNode(file) {
  if (!existsSync(file)) return false
  const text = readFileSync(file, 'utf8')
  const found = numbers.map(
    (name) => new RegExp(`define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1],
  )
  return found.join('.') === process.versions.node
}

const env = { ...process.env }
if (env.npm_config_nodedir === undefined && describesThisNode(header))
  env.npm_config_nodedir = prefix
const real = env.npm_config_node_gyp
if (real === undefined) {
  console.error('node-gyp: run this from an npm script, which names the real one')
  process.exit(1)
}
const { status, error } = spawnSync(process.execPath, [real, ...process.argv.slice(2)], {
  env,
  stdio: 'inherit',
})
if (error) console.error(`node-gyp: ${error.message}`)
process.exit(status ?? 1)
