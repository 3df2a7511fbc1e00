'use strict';
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const [filter, verdict, tag] = ['filter', 'verdict', 'tag'].map((id) => document.getElementById(id));
  const rows = all('.list tbody tr');
  const title = document.title;

  // The filter: every word, the verdict and the tag must fit.
  const shown = () => rows.filter((row) => !row.hidden);
  const sift = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.dataset.words + ' ' + row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word))
        && (!verdict.value || row.dataset.verdict === verdict.value)
        && (!tag.value || row.dataset.tags.split(' ').includes(tag.value)));
    }
    const count = shown().length;
    one('#shown').textContent = `${count} of ${rows.length} shown`;
    one('#none').hidden = count > 0;
  };
  const clear = () => { filter.value = verdict.value = tag.value = ''; sift(); };
  one('.filter').hidden = false;
  one('.filter').addEventListener('submit', (event) => event.preventDefault());
  for (const field of [filter, verdict, tag]) field.addEventListener('input', sift);
  sift();

  // Which scenario is open, and what comes before and after it.
  const link = (row) => one('th a', row);
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    return target ? target.closest('article') : null;
  };
  const step = (by) => {
    const links = shown().map(link);
    const article = open();
    const here = links.findIndex((a) => article ? a.hash === '#' + article.id : a === document.activeElement);
    const next = links[here < 0 ? (by > 0 ? 0 : links.length - 1) : here + by];
    if (!next) return;
    if (article) location.hash = next.hash; else next.focus();
  };
  const back = () => {
    const left = open();
    location.hash = '#scenarios';
    const row = left && rows.find((row) => link(row).hash === '#' + left.id);
    if (row && !row.hidden) link(row).focus();
  };
  const arrive = () => {
    const article = open();
    document.title = article ? `${one('h2', article).textContent} – gauntlet` : title;
    if (article && location.hash === '#' + article.id) {
      one('h2', article).focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  };
  window.addEventListener('hashchange', arrive);
  window.addEventListener('load', arrive);

  document.addEventListener('keydown', (event) => {
    const typing = event.target.matches('input, select, textarea');
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      if (typing) { clear(); event.target.blur(); } else if (open()) back();
      return;
    }
    if (typing) return;
    const scrolls = event.target.closest('.wide, pre');
    if (event.key === 'j' || (event.key === 'ArrowRight' && open() && !scrolls)) step(1);
    else if (event.key === 'k' || (event.key === 'ArrowLeft' && open() && !scrolls)) step(-1);
    else if (event.key === '/') { if (open()) back(); filter.focus(); event.preventDefault(); }
  });

  // Commands are copied by a button.
  for (const button of all('.command button')) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      const code = one('code', button.parentNode);
      getSelection().selectAllChildren(code);
      let done = false;
      try { await navigator.clipboard.writeText(code.textContent); done = true; } catch { done = document.execCommand('copy'); }
      button.textContent = done ? 'Copied' : 'Selected';
    });
  }

  // The mark under the pointer is told in words, as far as the transcript below holds its line.
  const told = (article, number) => {
    const line = all(':scope > .log > li:not(.gap)', article).find((li) => {
      const [first, last] = one('i', li).textContent.split('–').map(Number);
      return number >= first && number <= (last ?? first);
    });
    return line ? all('i, b, span', line).map((part) => part.textContent).join(' ') : `line ${number} of run.json`;
  };
  for (const svg of all('svg.timeline')) {
    let marks;
    svg.addEventListener('pointermove', (event) => {
      marks ??= all('[data-l]', svg).flatMap((path) => {
        const lines = path.dataset.l.split(' ').flatMap((range) => {
          const [first, last = first] = range.split('-').map(Number);
          return Array.from({ length: last - first + 1 }, (_, n) => first + n);
        });
        const places = path.getAttribute('d').matchAll(/M([\d.]+) ([\d.]+)/g);
        return [...places].map(([, x, y], i) => ({ n: lines[i], x: Number(x), y: Number(y) }));
      });
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      const far = (mark) => Math.hypot(mark.x - x, mark.y - y);
      const near = marks.reduce((best, mark) => (far(mark) < far(best) ? mark : best));
      if (far(near) < 14) one('.seen', svg.closest('figure')).textContent = told(svg.closest('article'), near.n);
    });
  }
})();
