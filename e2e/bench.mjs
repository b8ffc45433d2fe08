// What the client costs, measured in a browser: the first visit, switching, memory, scrolling. Prints a table;
// `--write` puts it into docs/performance.md. A budget that is missed is marked, and nothing fails: speed is no test.
import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from './lib/browser.mjs'
import { Node, api, seed } from './lib/server.mjs'

const SWITCHES = 200
const FRAMES = 240
const PREPENDS = 6
const MB = 1024 * 1024

const node = await Node.create()
const [owner] = await seed(node, { people: 200, conversations: 16, messages: 100_000 })
await node.start()
const { items } = await api(node, owner.token, 'GET', '/api/v1/conversations?limit=50')
const talks = items.filter((c) => c.last).slice(0, 10).map((c) => c.id)
const longest = items.reduce((a, b) => (b.head.seq > a.head.seq ? b : a))

const sorted = (list) => [...list].sort((a, b) => a - b)
const at = (list, share) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * share))]
const rows = []
/** `budget`: the most there may be; left out where none is set. */
const measured = (what, value, unit, budget) => rows.push({ what, value, unit, budget })

async function person(options, slow = 1) {
  const page = await newPerson(options)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable')
  if (slow > 1) await devtools.send('Emulation.setCPUThrottlingRate', { rate: slow })
  await signInAs(page, node, owner)
  return { page, devtools }
}

/** From the beginning of the visit to the frame that shows the list. */
async function opened(page, path = '/chat') {
  await page.goto(node.base + path)
  await page.getByTestId('conversation').first().waitFor()
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now()))))
}

async function visits() {
  for (const [name, options, slow] of [['desktop', DESKTOP, 1], ['phone, processor ÷ 4', PHONE, 4]]) {
    const { page } = await person(options, slow)
    const first = await opened(page)
    const again = []
    for (let i = 0; i < 5; i += 1) again.push(await opened(page))
    measured(`first visit, ${name}: the list is there`, first, 'ms')
    measured(`later visits, ${name}: the list is there, 50th`, at(again, 0.5), 'ms')
    await page.context().close()
  }
}

/** Clicks a row of the list; answers the milliseconds until a frame with the other conversation's messages was drawn. */
const switchTo = (page, id) => page.evaluate((id) => new Promise((resolve, reject) => {
  const before = document.querySelector('[role=log]')
  const started = performance.now()
  document.querySelector(`[data-testid=conversation][data-conversation="${id}"]`).click()
  const look = () => {
    const log = document.querySelector('[role=log]')
    const there = log && log !== before && log.querySelector('article') && location.pathname.endsWith(id)
    // The frame after the one in which it stands in the document has been drawn when this runs.
    if (there) return requestAnimationFrame(() => resolve(performance.now() - started))
    if (performance.now() - started > 20_000) return reject(new Error(`no messages of ${id}`))
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}), id)

async function heap(devtools) {
  for (let i = 0; i < 3; i += 1) await devtools.send('HeapProfiler.collectGarbage')
  return (await devtools.send('Runtime.getHeapUsage')).usedSize
}

async function switching() {
  const { page, devtools } = await person(DESKTOP)
  await opened(page)
  await devtools.send('HeapProfiler.enable')
  const first = []
  for (const id of talks) first.push(await switchTo(page, id))
  const before = await heap(devtools)
  const again = []
  // The five last ones are held in memory; all ten are on the device.
  for (let i = 0; i < SWITCHES; i += 1) again.push(await switchTo(page, talks[i % talks.length]))
  const held = []
  for (let i = 0; i < 40; i += 1) held.push(await switchTo(page, talks[i % 4]))
  measured('switch to a conversation for the first time, 95th', at(first, 0.95), 'ms')
  measured('switch to one that is in memory, 50th', at(held, 0.5), 'ms')
  measured('switch to one that is in memory, 95th', at(held, 0.95), 'ms', 100)
  measured(`switch among ${talks.length}, 95th of ${SWITCHES}`, at(again, 0.95), 'ms', 100)
  measured(`memory grown by ${SWITCHES} switches`, (await heap(devtools) - before) / MB, 'MB', 60)
  measured('memory after them', (await heap(devtools)) / MB, 'MB')
  await page.context().close()
}

const metrics = async (devtools) =>
  Object.fromEntries((await devtools.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value]))

/** 90 px in every frame, upwards through the history. */
const scroll = (page, frames) => page.evaluate((frames) => new Promise((resolve) => {
  const log = document.querySelector('[role=log]')
  const times = []
  let last = performance.now()
  const step = () => {
    const now = performance.now()
    times.push(now - last)
    last = now
    log.scrollTop -= 90
    if (times.length < frames) requestAnimationFrame(step)
    else resolve(times.slice(1))
  }
  requestAnimationFrame(step)
}), frames)

/** Goes to the top of what is loaded and holds still: how far does what one looks at move when older messages come? */
const drift = (page) => page.evaluate(() => new Promise((resolve) => {
  const log = document.querySelector('[role=log]')
  const size = log.scrollHeight
  log.scrollTop = Math.max(200, Math.min(log.scrollTop, 300))
  let seen
  let left = 300
  const place = () => {
    const top = log.getBoundingClientRect().top
    const article = seen
      ? log.querySelector(`article[data-seq="${seen.seq}"]`)
      : [...log.querySelectorAll('article')].find((a) => a.getBoundingClientRect().top >= top)
    return article && { seq: article.dataset.seq, y: article.getBoundingClientRect().top }
  }
  const look = () => {
    const now = place()
    seen ??= now
    if (log.scrollHeight > size + 500 && now) {
      // One more frame: what is measured late moves late.
      return requestAnimationFrame(() => requestAnimationFrame(() => resolve(Math.abs((place()?.y ?? Infinity) - seen.y))))
    }
    left -= 1
    if (left === 0) return resolve(undefined)
    requestAnimationFrame(look)
  }
  requestAnimationFrame(() => requestAnimationFrame(look))
}))

async function scrolling() {
  for (const slow of [1, 4]) {
    const { page, devtools } = await person(DESKTOP, slow)
    await page.goto(`${node.base}/chat/${longest.id}`)
    await page.locator('[role=log] article').first().waitFor()
    await page.waitForTimeout(1_000)
    const before = await metrics(devtools)
    const times = await scroll(page, FRAMES)
    const after = await metrics(devtools)
    const name = slow > 1 ? `, processor ÷ ${slow}` : ''
    const each = (key) => ((after[key] - before[key]) * 1_000) / FRAMES
    measured(`scroll through ${longest.head.seq.toLocaleString('en')} messages${name}: scripts in a frame`, each('ScriptDuration'), 'ms', slow > 1 ? undefined : 6)
    measured(`the same${name}: layout in a frame`, each('LayoutDuration') + each('RecalcStyleDuration'), 'ms')
    measured(`the same${name}: between frames, 95th`, at(times, 0.95), 'ms')
    if (slow === 1) {
      const moved = []
      for (let i = 0; i < PREPENDS; i += 1) {
        const px = await drift(page)
        if (px !== undefined) moved.push(px)
        await page.waitForTimeout(300)
      }
      measured(`older messages come (${moved.length} times): what one reads moves by, at most`, Math.max(...moved), 'px', 1)
    }
    await page.context().close()
  }
}

/** The same piece of work every time: how fast this machine was while it measured. */
async function loop() {
  const { page } = await person(DESKTOP)
  const took = await page.evaluate(() => {
    const started = performance.now()
    let x = 0
    for (let i = 0; i < 200_000_000; i += 1) x = (x * 31 + i) | 0
    return performance.now() - started + (x === 1 ? 1 : 0)
  })
  await page.context().close()
  return took
}

const speed = [await loop()]
for (const part of [visits, switching, scrolling]) {
  await part()
  speed.push(await loop())
}
await closeBrowser()
await node.stop()

const shown = (value) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1))
const table = [
  `Measured on ${os.cpus().length} cores (${os.cpus()[0].model.replace(/ \d+-Core Processor/, '')}), browser and server on the same ones.`,
  `A loop of 2·10⁸ steps took the page ${speed.map((ms) => Math.round(ms).toLocaleString('en')).join(', ')} ms, before, between and after.`,
  '',
  '| | measured | budget |',
  '| --- | ---: | ---: |',
  ...rows.map(({ what, value, unit, budget }) =>
    `| ${what} (${unit}) | ${shown(value)}${budget !== undefined && value > budget ? ' **over**' : ''} | ${budget ?? '–'} |`),
].join('\n')
console.log(table)
if (process.argv.includes('--write')) {
  const file = new URL('../docs/performance.md', import.meta.url)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/(<!-- client:begin -->\n)[^]*(<!-- client:end -->)/, (_, begin, end) => `${begin}${table}\n${end}`))
}
