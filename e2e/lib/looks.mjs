// What must be true of any page, as functions that run inside it. They give sentences, one for each fault.

/** Nothing loads and nothing moves any more; what runs for ever, such as a skeleton among the samples, is as still as it gets. */
export function atRest() {
  return Boolean(document.querySelector('h1,h2'))
    && [...document.querySelectorAll('[aria-busy=true],[data-loading]')].every((el) => el.closest('[data-sample]'))
    && document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().endTime === Infinity)
}

/** Controls that are cut off, covered or beyond the edge; run where type is large and the screen small. */
export async function layoutFaults() {
  const faults = []
  const root = document.scrollingElement
  if (root.scrollWidth > root.clientWidth + 1) faults.push(`the page is ${root.scrollWidth} wide on ${root.clientWidth}`)
  const say = (el) => `<${el.tagName.toLowerCase()}> ${(el.getAttribute('aria-label') ?? el.textContent ?? '').trim().slice(0, 40)}`
  const controls = [...document.querySelectorAll('a[href],button,input,select,textarea,[role=button],[role=link],[role=tab]')]
    .filter((el) => !el.closest('[inert],[aria-hidden=true],template'))
    // A link past the navigation shows itself when the keyboard comes to it.
    .filter((el) => !el.getAttribute('href')?.startsWith('#'))
    .filter((el) => {
      for (let up = el; up && up !== document.body; up = up.parentElement) {
        const { width, height } = up.getBoundingClientRect()
        if (width <= 2 && height <= 2 && getComputedStyle(up).overflow !== 'visible') return false
      }
      const box = el.getBoundingClientRect()
      const style = getComputedStyle(el)
      // What is drawn for screen readers alone, or a native control under a drawn one, is a dot.
      return box.width > 2 && box.height > 2 && style.visibility === 'visible' && style.opacity !== '0' && !el.closest('.visually-hidden')
    })
  for (const el of controls) {
    el.scrollIntoView({ block: 'center', inline: 'nearest' })
    const box = el.getBoundingClientRect()
    let [left, right, top, bottom] = [Math.max(0, box.left), Math.min(innerWidth, box.right), box.top, box.bottom]
    let sideways = false
    for (let up = el.parentElement; up && up !== document.body; up = up.parentElement) {
      const { overflowX, overflowY, position } = getComputedStyle(up)
      const around = up.getBoundingClientRect()
      if (/auto|scroll/.test(overflowX) && up.scrollWidth > up.clientWidth + 1) sideways = true
      if (overflowX !== 'visible') [left, right] = [Math.max(left, around.left), Math.min(right, around.right)]
      if (/hidden|clip/.test(overflowY)) [top, bottom] = [Math.max(top, around.top), Math.min(bottom, around.bottom)]
      if (position === 'fixed') break
    }
    if (!sideways && right - left < box.width - 2) faults.push(`${say(el)} is cut at the side (${Math.round(right - left)} of ${Math.round(box.width)})`)
    if (bottom - top < box.height - 2) faults.push(`${say(el)} is cut in its height (${Math.round(bottom - top)} of ${Math.round(box.height)})`)
    const [x, y] = [(left + right) / 2, (top + bottom) / 2]
    if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) {
      faults.push(`${say(el)} cannot be brought into view`)
      continue
    }
    const hit = document.elementFromPoint(x, y)
    const label = el.closest('label')
    if (hit && !el.contains(hit) && !hit.contains(el) && !label?.contains(hit)) faults.push(`${say(el)} is covered by ${say(hit)}`)
  }
  return faults
}

/** Controls a keyboard cannot come to: neither in the row of Tab nor part of something that has its own arrow keys. */
export function keyboardFaults() {
  const shown = (el) => el.getClientRects().length > 0 && getComputedStyle(el).visibility === 'visible' && !el.closest('[inert],[aria-hidden=true]')
  const composite = '[role=listbox],[role=radiogroup],[role=tablist],[role=grid],[role=treegrid],[role=tree],[role=menu],[role=toolbar],[role=group],[role=log],[role=feed],article'
  return [...document.querySelectorAll('a[href],button,input,select,textarea,[role=button],[role=link],[role=tab],[role=option],[role=menuitem],[role=switch],[role=checkbox]')]
    .filter((el) => shown(el) && !el.disabled && el.getAttribute('aria-disabled') !== 'true' && el.type !== 'radio')
    // What empties a search field is the Escape key to a keyboard.
    .filter((el) => !el.parentElement.querySelector('input[type=search]'))
    .filter((el) => el.tabIndex < 0 && !el.closest(composite) && !el.querySelector('[tabindex="0"]'))
    .map((el) => `<${el.tagName.toLowerCase()} role=${el.getAttribute('role')}> ${(el.getAttribute('aria-label') ?? el.textContent).trim().slice(0, 40)}`)
}

/** Names written from right to left that would turn the words around them. */
export function directionFaults(name) {
  const faults = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode
    const at = node.data.indexOf(name)
    const around = node.parentElement
    if (at < 0 || around.closest('script,style,textarea,bdi,[dir=auto],.visually-hidden')) continue
    if (node.data[at - 1] === '\u2068') continue
    const isolated = (el) => /isolate|plaintext/.test(getComputedStyle(el).unicodeBidi) || getComputedStyle(el).display !== 'inline'
    const alone = node.data.trim() === name
    if (alone && (isolated(around) || around.childNodes.length === 1 && around.parentElement.textContent.trim() === name)) continue
    faults.push(`${around.tagName.toLowerCase()}.${around.className}: ${around.parentElement.textContent.trim().slice(0, 80)}`)
  }
  return faults
}

/** Things that a text made where only text should stand. */
export function injectedFaults() {
  const faults = [...document.querySelectorAll('a[href^="javascript:" i],img[src="x"],svg[onload],[onerror],iframe,object,embed')].map((el) => el.outerHTML.slice(0, 120))
  if (window.pwned_) faults.push(`${window.pwned_} ran`)
  return [...faults, ...(window.violations_ ?? [])]
}

/** Before any page: what a payload would call, and what the policy refused. */
export function listen() {
  window.pwned = (what = 'a payload') => { window.pwned_ = what }
  window.violations_ = []
  document.addEventListener('securitypolicyviolation', (event) => {
    window.violations_.push(`${event.violatedDirective} refused ${event.blockedURI} ${event.sample} at ${event.sourceFile}:${event.lineNumber}`)
  })
}
