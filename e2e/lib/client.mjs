// What people do in the client, in the words they see (zh-CN).

export const PASSWORD = '七座桥上的两只喜鹊'

/** The set-up link of a fresh server, to the first organisation; its invitation link. */
export async function found(page, setupLink, { name, org }) {
  await page.goto(setupLink)
  await signUp(page, name)
  await page.getByLabel('组织名称').fill(org)
  await page.getByRole('button', { name: '创建', exact: true }).click()
  const link = await page.getByRole('textbox', { name: '邀请链接' }).or(page.getByLabel('邀请链接')).first()
  await link.waitFor()
  const url = (await link.inputValue().catch(() => null)) ?? (await link.textContent())
  await page.getByRole('button', { name: '进入鹊桥' }).or(page.getByRole('link', { name: '进入鹊桥' })).click()
  return url.trim()
}

/** An invitation link, to the conversation of everybody: with a name alone. */
export async function join(page, link, { name }) {
  await page.goto(link)
  await page.getByLabel('姓名').fill(name)
  await page.getByRole('button', { name: '加入', exact: true }).click()
  await composer(page).waitFor()
}

/** Under "me", a password for whoever has none. */
export async function choosePassword(page, password = PASSWORD) {
  await page.goto(new URL('/me/security', page.url()).href)
  await page.getByRole('button', { name: '设置密码' }).click()
  await page.getByLabel('新密码').fill(password)
  await page.getByRole('button', { name: '保存' }).click()
  await page.getByText('已设置密码').waitFor()
}

/** The name and password of somebody, on a device that knows nobody. */
export async function signIn(page, base, { login, password = PASSWORD, to = '/' }) {
  await page.goto(`${base}/sign-in?to=${encodeURIComponent(to)}`)
  await page.getByLabel('登录名').fill(login)
  await page.getByRole('textbox', { name: '密码' }).fill(password)
  await page.getByRole('button', { name: '登录', exact: true }).click()
}

async function signUp(page, name) {
  await page.getByLabel('姓名').fill(name)
  await page.getByRole('textbox', { name: '密码' }).fill(PASSWORD)
  await page.getByRole('button', { name: /继续|加入/ }).click()
  await page.getByRole('button', { name: '记住了，继续' }).click()
}

export const composer = (page) => page.getByTestId('composer')

/** Opens a conversation from the list. */
export async function open(page, title) {
  await page.getByTestId('conversation').filter({ hasText: title }).first().click()
  await composer(page).waitFor()
}

/** Writes and sends; returns when it stands in the timeline. */
export async function say(page, text) {
  await composer(page).fill(text)
  await page.getByRole('button', { name: '发送' }).click()
  await sees(page, text)
}

export async function sees(page, text) {
  await page.getByTestId('bubble').filter({ hasText: text }).last().waitFor()
}

/** What waits to be sent stands in the timeline too, marked as such. */
export async function waits(page, text) {
  await page.getByTestId('message-sending').filter({ hasText: text }).waitFor()
}

/** The messages drawn now, oldest first. */
export function messages(page) {
  return page.locator('article[data-seq]').evaluateAll((all) =>
    all.map((el) => ({
      seq: Number(el.dataset.seq),
      text: [...el.querySelectorAll('[data-testid=bubble]')].map((b) => b.innerText.trim()).join('\n'),
    })))
}
