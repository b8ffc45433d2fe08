// The page of those without an account, as web views open it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import { newPerson } from './browser.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What an in-app web view does not have. */
export function poorer() {
  for (const [where, name] of [
    [Navigator.prototype, 'serviceWorker'], [Navigator.prototype, 'locks'], [Navigator.prototype, 'credentials'],
    [Crypto.prototype, 'randomUUID'], [window, 'Notification'], [window, 'PublicKeyCredential'], [window, 'open'],
    [HTMLAnchorElement.prototype, 'download'],
  ]) {
    delete where[name]
    if (name in where) Object.defineProperty(where, name, { value: undefined, configurable: true })
  }
}

export async function hostile(options) {
  const page = await newPerson(options)
  await page.addInitScript(poorer)
  return page
}

/** Nothing of weight, in both themes. */
export async function accessible(page, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    // By the debugger, which the policy of the page does not bind.
    await page.evaluate(AXE)
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
    const faults = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)
    assert.deepEqual(faults, [], `${what}, ${colorScheme}`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

export const write = (page) => page.getByRole('textbox', { name: /^(写消息|Write a message)$/ })

export async function tell(page, text) {
  await write(page).fill(text)
  await page.getByRole('button', { name: /^(发送|Send)$/ }).click()
  await page.getByTestId('bubble').filter({ hasText: text }).waitFor()
}
