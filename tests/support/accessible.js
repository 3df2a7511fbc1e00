// Looks at the page as it is shown now and returns what an assistive technology, or an eye, would stumble over.
// An expression: evaluate it, and expect an empty list.
(() => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const name = (element) => element.tagName.toLowerCase() + (element.id ? '#' + element.id : '')
    + (element.className && typeof element.className === 'string' ? '.' + element.className.replaceAll(' ', '.') : '')
    + ' “' + (element.textContent ?? '').trim().slice(0, 40) + '”';
  const blame = (rule, element) => found.push(`${rule}: ${element ? name(element) : 'page'}`);

  // Language, title, landmarks.
  if (!document.documentElement.lang) blame('the page names no language');
  if (!document.title.trim()) blame('the page has no title');
  for (const [landmark, most] of [['main', 1], ['body > header', 1], ['body > footer', 1], ['h1', 1]]) {
    if (all(landmark).length !== most) blame(`there are ${all(landmark).length} of ${landmark}`);
  }
  const landmarks = ['MAIN', 'HEADER', 'FOOTER', 'NAV', 'SCRIPT'];
  for (const child of document.body.children) {
    if (!landmarks.includes(child.tagName) && !child.matches('a.skip')) blame('outside of the landmarks', child);
  }

  // Headings in order.
  let before = 0;
  for (const heading of all('h1, h2, h3, h4, h5, h6')) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) blame(`heading ${level} after ${before}`, heading);
    if (!heading.textContent.trim()) blame('an empty heading', heading);
    before = level;
  }

  // Ids and links: also those that are not shown now.
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  for (const id of ids.filter((id, n) => ids.indexOf(id) !== n)) blame(`the id ${id} is there twice`);
  const known = new Set(ids);
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!known.has(decodeURIComponent(link.hash.slice(1)))) blame('leads nowhere', link);
  }
  for (const link of all('a[href]')) if (!link.textContent.trim()) blame('a link without words', link);

  // Names of what can be used.
  for (const field of all('input, select, textarea')) if (!field.labels?.length) blame('no label', field);
  for (const button of all('button')) if (!button.textContent.trim()) blame('a button without words', button);
  for (const picture of all('svg')) {
    const told = picture.getAttribute('role') === 'img' && picture.getAttribute('aria-label');
    if (!told && picture.getAttribute('aria-hidden') !== 'true') blame('a picture without words', picture);
  }
  for (const element of all('[aria-label]')) {
    if (['DIV', 'SPAN', 'P'].includes(element.tagName) && !element.getAttribute('role')) blame('a name without a role', element);
  }
  for (const element of all('[tabindex]')) if (element.tabIndex > 0) blame('its own order of tabs', element);

  // Tables and lists.
  for (const table of all('table')) {
    if (!table.caption) blame('a table without a caption', table);
    for (const cell of table.querySelectorAll('th')) if (!cell.scope) blame('a heading without a scope', cell);
  }
  for (const list of all('ul, ol')) {
    for (const child of list.children) if (child.tagName !== 'LI') blame('no item of its list', child);
  }
  for (const item of all('li')) if (!item.closest('ul, ol')) blame('an item without a list', item);
  for (const term of all('dt, dd')) if (!term.closest('dl')) blame('a term without a list', term);

  // What scrolls can be reached by the keyboard.
  for (const box of all('*')) {
    const scrolls = ['auto', 'scroll'].includes(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth + 1;
    if (scrolls && box.tabIndex < 0) blame('scrolls, and no key reaches it', box);
  }

  // Contrast of each text against what lies behind it.
  const parse = (colour) => {
    const numbers = colour.match(/[\d.]+/g).map(Number);
    return { rgb: numbers.slice(0, 3), alpha: numbers[3] ?? 1 };
  };
  const over = (front, back) => front.rgb.map((part, n) => part * front.alpha + back[n] * (1 - front.alpha));
  const behind = (element) => {
    if (!element) return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
    return over(parse(getComputedStyle(element).backgroundColor), behind(element.parentElement));
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const judged = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || judged.has(element) || !element.checkVisibility()) continue;
    if (['SCRIPT', 'STYLE', 'OPTION'].includes(element.tagName)) continue;
    judged.add(element);
    const style = getComputedStyle(element);
    const back = behind(element);
    const front = over(parse(element instanceof SVGElement ? style.fill : style.color), back);
    const [bright, dark] = [light(front), light(back)].sort((a, b) => b - a);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < 4.5) blame(`contrast ${ratio.toFixed(2)}`, element);
  }
  return { found: [...new Set(found)], texts: judged.size };
})()
