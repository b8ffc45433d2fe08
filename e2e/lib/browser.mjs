// Real browsers, one per person.
import { mkdirSync } from 'node:fs'

import { chromium } from 'playwright-core'

export const DESKTOP = { viewport: { width: 1440, height: 900 } }
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

let browser
const others = new Set()
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

/** The one browser; those who ask while it starts get the same. */
export function openBrowser() {
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
  return browser
}

/** A browser of its own: started by another program, or with further flags. */
export async function anotherBrowser({ executablePath = CHROMIUM, flags = [] }) {
  const started = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] })
  others.add(started)
  return started
}

export async function closeBrowser() {
  await Promise.all([...others, await browser].map((b) => b?.close()))
  others.clear()
  browser = undefined
}

/** A fresh profile. Errors of the page fail the journey at its end. */
export async function newPerson({ locale = 'zh-CN', colorScheme = 'light', browser: which, ...options } = DESKTOP) {
  const context = await (which ?? await openBrowser()).newContext({ locale, colorScheme, ...options })
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

/** The device has a sensor for faces or fingers, which says yes (DevTools' virtual authenticator). */
export async function withFingerprint(page) {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  })
  return {
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    refuse: () => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false }),
    accept: () => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true }),
  }
}

/** Two fingers, from so far from the middle to so far. */
export async function pinch(page, box, from, to) {
  const session = await page.context().newCDPSession(page)
  const x = box.x + box.width / 2
  const y = box.y + box.height / 2
  const fingers = (apart) => [{ x: x - apart, y, id: 1 }, { x: x + apart, y, id: 2 }]
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(from) })
  for (let i = 1; i <= 10; i += 1) {
    await session.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(from + ((to - from) * i) / 10) })
  }
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
}
