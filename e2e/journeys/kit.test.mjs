// The controls by keyboard alone, and as tools for accessibility see them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson } from '../lib/browser.mjs'
import { eventually } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

let node, page

before(async () => {
  node = await (await Node.create()).start()
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.getAttribute('aria-label'))

async function openGallery(options) {
  page = await newPerson(options)
  await page.goto(`${node.base}/gallery`)
  // What comes last: trees and tables, which is a lot at once.
  await page.getByRole('row', { name: /市场部/ }).first().waitFor({ timeout: 60_000 })
  await page.getByText('青禾贸易 5').first().waitFor({ timeout: 60_000 })
}

for (const [size, options] of [['a desktop', DESKTOP], ['a phone', PHONE]]) {
  step(`every control in three themes on ${size} is without a serious fault`, async () => {
    await openGallery(options)
    await page.evaluate(axe)
    for (const theme of ['浅色', '深色', '高对比']) {
      await page.getByRole('radio', { name: theme, exact: true }).check({ force: true })
      // Colours change softly; what is measured is where they arrive.
      await eventually('nothing moves', () => page.evaluate(() => document.getAnimations().every((a) => a.effect?.getTiming().iterations === Infinity || a.playState !== 'running')))
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
      const serious = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
      assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any[0]?.message ?? ''}`).slice(0, 4).join(' | ')}`), [], theme)
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.ok(wide <= 0, `nothing is wider than the page: ${wide}`)
    assert.deepEqual(page.faults, [])
  })
}

step('Tab goes through all of it, always to be seen, and never gets caught', async () => {
  await openGallery(DESKTOP)
  const seen = new Set()
  for (let i = 0; i < 160; i += 1) {
    await page.keyboard.press('Tab')
    const stop = await page.evaluate(() => {
      const at = document.activeElement
      if (!at || at === document.body) return null
      globalThis.stops ??= new Map()
      if (!globalThis.stops.has(at)) globalThis.stops.set(at, globalThis.stops.size)
      // A ring on it, or on the box or label it fills.
      const ring = (el) => {
        const s = el && getComputedStyle(el)
        return s && ((s.outlineStyle !== 'none' && Number.parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none' || el.hasAttribute('data-focused'))
      }
      const boxes = [at, at.parentElement, at.parentElement?.parentElement, at.closest('label'), at.closest('[role=row]'), at.querySelector('[data-focused]')]
      return { id: globalThis.stops.get(at), seen: boxes.some(ring) || at.matches('[role=slider],[type=range]'), html: at.outerHTML.slice(0, 160) }
    })
    if (!stop) break
    assert.ok(stop.seen, `the focus is not to be seen on ${stop.html}`)
    seen.add(stop.id)
  }
  assert.ok(seen.size > 55, `Tab reaches ${seen.size} places`)
})

step('columns of a cascade open and close by arrows', async () => {
  await page.getByRole('button', { name: /^地区/ }).first().focus()
  await page.keyboard.press('Enter')
  await eventually('the chosen district has the focus', async () => (await focused()) === '西湖区')
  await page.keyboard.press('ArrowLeft')
  await eventually('its city has the focus', async () => (await focused()) === '杭州市')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowRight')
  await eventually('the first district of the next city', async () => (await focused()) === '海曙区')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: /浙江省 \/ 宁波市 \/ 海曙区/ }).waitFor()
  await eventually('the focus is back', async () => /海曙区/.test(await focused()))
})

step('a department opens by →, its people are chosen by space and stand above as chips', async () => {
  const tree = page.getByRole('treegrid').first()
  await tree.getByRole('row', { name: /市场部/ }).focus()
  await page.keyboard.press('ArrowRight')
  await tree.getByRole('row', { name: /市场部一组/ }).waitFor()
  for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowDown')
  const name = await page.evaluate(() => document.activeElement.getAttribute('aria-label'))
  await page.keyboard.press('Space')
  await page.getByRole('list', { name: '已选的人' }).getByRole('button', { name }).waitFor()
})

step('a table sorts by its header and draws only what is in sight', async () => {
  await page.getByRole('tab', { name: /1,000/ }).click()
  const table = page.getByRole('grid', { name: /1,000/ })
  await table.waitFor()
  // As hands do it: into the table, up to its header, and from the name to the width beside it.
  await page.getByRole('tab', { name: /1,000/ }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('ArrowUp')
  await eventually('the name of the first column has the focus', async () => (await focused()) === '客户')
  await page.keyboard.press('Enter')
  const header = table.getByRole('columnheader', { name: /客户/ })
  await eventually('sorted upwards', async () => (await header.getAttribute('aria-sort')) === 'ascending')
  await page.keyboard.press('ArrowRight')
  await eventually('the width is next', async () => /宽度/.test(await focused()))
  const rows = await table.getByRole('row').count()
  assert.ok(rows < 100, `${rows} rows are drawn`)
  assert.equal(await table.getAttribute('aria-rowcount'), '1001')
})

step('Escape leaves a dialog, and the focus goes back to where it was opened', async () => {
  const opener = page.getByRole('button', { name: '打开对话框' })
  await opener.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await eventually('the focus is back', async () => (await focused()) === '打开对话框')
})

step('what was done is taken back from the note', async () => {
  await page.getByRole('button', { name: '可撤销' }).click()
  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await page.getByRole('status').getByText('已撤销').waitFor()
  assert.deepEqual(page.faults, [])
})
