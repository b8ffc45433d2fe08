// Real browsers, one per person.
import { mkdirSync } from 'node:fs'

import { chromium } from 'playwright-core'

export const DESKTOP = { viewport: { width: 1440, height: 900 } }
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

let browser
const pages = new Set()

/** Pictures of all pages, for whoever must understand a failure. */
export async function pictures(name) {
  const dir = new URL('../failures/', import.meta.url).pathname
  mkdirSync(dir, { recursive: true })
  let number = 0
  for (const page of pages) {
    number += 1
    await page.screenshot({ path: `${dir}${name.replaceAll(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60)}-${number}.png` }).catch(() => {})
  }
}

export async function openBrowser() {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS })
  return browser
}

export async function closeBrowser() {
  await browser?.close()
  browser = undefined
}

/** A fresh profile. Errors of the page fail the journey at its end. */
export async function newPerson({ locale = 'zh-CN', colorScheme = 'light', ...options } = DESKTOP) {
  const context = await (await openBrowser()).newContext({ locale, colorScheme, ...options })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  pages.add(page)
  page.on('close', () => pages.delete(page))
  page.faults = []
  page.on('pageerror', (error) => page.faults.push(String(error)))
  page.on('console', (message) => {
    const text = message.text()
    // A server that is away is part of the journeys.
    if (message.type() === 'error' && !/net::ERR|WebSocket|Failed to load resource/.test(text)) page.faults.push(text)
  })
  return page
}

/** Signs in by the session of a seeded person. */
export async function signInAs(page, node, { token }) {
  await page.context().addCookies([{ name: 'magpie_lan', value: token, url: node.base, httpOnly: true, sameSite: 'Lax' }])
}
