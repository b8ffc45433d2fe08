// A journey is a row of steps, each on the ground of the one before.
import { test } from 'node:test'

import { pictures } from './browser.mjs'

let broken

/** As `test`, but not tried once a step before it failed. */
export function step(name, run) {
  test(name, async (t) => {
    if (broken) throw new Error(`not tried: "${broken}" failed`)
    try {
      await run(t)
    } catch (error) {
      broken = name
      await pictures(name)
      throw error
    }
  })
}
