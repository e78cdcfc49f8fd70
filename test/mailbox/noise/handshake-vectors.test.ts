import { knownAnswers } from '../known-answers.ts'
import type { RecordedHandshake } from './recorded.ts'
import { replay } from './replay.ts'

const FILES = [
  'noise_xx_v0.json',
  'noise_xx_v1.json',
  'noise_xx_v2.json',
  'noise_kk_v2.json',
  'noise_large_auth.json',
]

for (const file of FILES) {
  for (const recorded of knownAnswers<{ cases: RecordedHandshake[] }>(file).cases) {
    // Version 0 with too much auth data has its own test in version-0.test.ts: we refuse it.
    if (recorded.acts[1]?.version_byte === 0 && recorded.auth_data_length > 498) continue
    replay(recorded)
  }
}
