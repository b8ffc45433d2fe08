// PDF files, made by hand: several pages, Chinese text without an embedded font, locked ones, and ones that would run something.
import { createHash } from 'node:crypto'

const PAD = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex')
const ID = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const NONE = -4

function rc4(key, data) {
  const s = [...Array(256).keys()]
  for (let i = 0, j = 0; i < 256; i += 1) {
    j = (j + s[i] + key[i % key.length]) & 255
    ;[s[i], s[j]] = [s[j], s[i]]
  }
  let i = 0
  let j = 0
  return Buffer.from(data.map((byte) => {
    i = (i + 1) & 255
    j = (j + s[i]) & 255
    ;[s[i], s[j]] = [s[j], s[i]]
    return byte ^ s[(s[i] + s[j]) & 255]
  }))
}

const md5 = (...parts) => createHash('md5').update(Buffer.concat(parts)).digest()
const hex = (data) => `<${data.toString('hex')}>`

/** The standard lock of 40 bits: what it needs in the trailer, and how streams are locked by it. */
function lock(password) {
  const padded = Buffer.concat([Buffer.from(password, 'latin1'), PAD]).subarray(0, 32)
  const owner = rc4(md5(padded).subarray(0, 5), padded)
  const rights = Buffer.alloc(4)
  rights.writeInt32LE(NONE)
  const key = md5(padded, owner, rights, ID).subarray(0, 5)
  return {
    dict: `<< /Filter /Standard /V 1 /R 2 /O ${hex(owner)} /U ${hex(rc4(key, PAD))} /P ${NONE} >>`,
    seal: (data, number) => rc4(md5(key, Buffer.from([number & 255, number >> 8, 0, 0, 0])).subarray(0, 10), data),
  }
}

/** Objects by their numbers from 1: text, or `{ dict, data }` for a stream. */
function assemble(objects, { root, password }) {
  const locked = password === undefined ? undefined : lock(password)
  if (locked) objects.push(locked.dict)
  const parts = [Buffer.from('%PDF-1.7\n%\u00e2\u00e3\n', 'latin1')]
  let at = parts[0].length
  const put = (data) => {
    parts.push(Buffer.isBuffer(data) ? data : Buffer.from(data, 'latin1'))
    at += parts.at(-1).length
  }
  const offsets = objects.map((object, i) => {
    const offset = at
    put(`${i + 1} 0 obj\n`)
    if (typeof object === 'string') put(object)
    else {
      const data = locked ? locked.seal(object.data, i + 1) : object.data
      put(`<< ${object.dict ?? ''} /Length ${data.length} >>\nstream\n`)
      put(data)
      put('\nendstream')
    }
    put('\nendobj\n')
    return offset
  })
  const table = at
  put(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`)
  for (const offset of offsets) put(`${String(offset).padStart(10, '0')} 00000 n \n`)
  const more = locked ? `/Encrypt ${objects.length} 0 R /ID [${hex(ID)} ${hex(ID)}]` : ''
  put(`trailer\n<< /Size ${objects.length + 1} /Root ${root} 0 R ${more} >>\nstartxref\n${table}\n%%EOF\n`)
  return Buffer.concat(parts)
}

const escape = (text) => text.replaceAll(/[\\()]/g, '\\$&')
const wide = (text) => hex(Buffer.from([...text].flatMap((c) => [c.charCodeAt(0) >> 8, c.charCodeAt(0) & 255])))

/**
 * Pages of lines: Latin in Helvetica, Chinese in a font that is not inside. `links` stand on the first page, each with its
 * action; `catalog` is put into the catalogue; `ballast` is a picture of so many bytes on the last page.
 */
export function pdf(pages, { password, links = [], catalog = '', ballast = 0 } = {}) {
  const objects = ['', '', '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    '<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [5 0 R] >>',
    '<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor 6 0 R >>',
    '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>']
  const add = (object) => objects.push(object)
  const annots = links.map((action, i) => add(`<< /Type /Annot /Subtype /Link /Rect [72 ${600 - i * 40} 300 ${630 - i * 40}] /Border [0 0 1] ${action} >>`))
  const kids = pages.map((lines, number) => {
    const last = number === pages.length - 1 && ballast > 0
    const words = lines.map((line, i) => {
      const chinese = /[^\0-\x7f]/.test(line)
      return `BT /${chinese ? 'F2' : 'F1'} 24 Tf 72 ${740 - i * 40} Td ${chinese ? wide(line) : `(${escape(line)})`} Tj ET`
    })
    const content = add({ data: Buffer.from(`${words.join('\n')}${last ? '\nq 400 0 0 400 72 100 cm /Im Do Q' : ''}`, 'latin1') })
    const side = Math.floor(Math.sqrt(ballast))
    const picture = last
      ? add({ dict: `/Type /XObject /Subtype /Image /Width ${side} /Height ${side} /ColorSpace /DeviceGray /BitsPerComponent 8`, data: Buffer.alloc(side * side, 120) })
      : 0
    return add(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${content} 0 R
      /Resources << /Font << /F1 3 0 R /F2 4 0 R >> ${picture ? `/XObject << /Im ${picture} 0 R >>` : ''} >>
      ${number === 0 && annots.length > 0 ? `/Annots [${annots.map((n) => `${n} 0 R`).join(' ')}]` : ''} >>`)
  })
  objects[0] = `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`
  objects[1] = `<< /Type /Pages /Kids [${kids.map((n) => `${n} 0 R`).join(' ')}] /Count ${kids.length} >>`
  return assemble(objects, { root: 1, password })
}
