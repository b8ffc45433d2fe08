// Draws the icons of the installed client from web/public/favicon.svg, whose corners are cut by the system
// where it asks for that ("maskable").
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { closeBrowser, openBrowser } from './lib/browser.mjs'

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../web/public')
const mark = readFileSync(path.join(folder, 'favicon.svg'), 'utf8')
const square = mark.replace(/rx="\d+"/, '')
const ground = /<rect[^>]*fill="([^"]+)"/.exec(mark)[1]
mkdirSync(path.join(folder, 'icons'), { recursive: true })

const page = await (await openBrowser()).newPage()
for (const [name, size, svg, part] of [
  ['192', 192, mark, 1], ['512', 512, mark, 1], ['180', 180, square, 1], ['maskable-512', 512, square, 0.8],
]) {
  await page.setViewportSize({ width: size, height: size })
  const drawn = svg.replace('<svg ', `<svg width="${size * part}" height="${size * part}" `)
  const color = part < 1 ? ground : 'transparent'
  await page.setContent(`<body style="margin:0;background:${color};display:grid;place-items:center;height:100vh">${drawn}`)
  await page.screenshot({ path: path.join(folder, 'icons', `${name}.png`), omitBackground: true })
}
await closeBrowser()
