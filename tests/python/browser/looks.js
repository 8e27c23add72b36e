// What a page looks like, measured from computed styles. Runs inside the page.
const rgba = (text) => {
  const parts = /^rgba?\(([\d., ]+)\)$/.exec(text);
  if (!parts) throw new Error(`not a colour that can be measured: ${text}`);
  const [r, g, b, a = 1] = parts[1].split(',').map(Number);
  return { r, g, b, a };
};

// WCAG 2.2: relative luminance and contrast ratio.
const linear = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ({ r, g, b }) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const contrast = (one, other) => {
  const [high, low] = [luminance(rgba(one)), luminance(rgba(other))].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};

const paper = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (rgba(colour).a === 1) return colour;
  }
  return 'rgb(255, 255, 255)';
};

const name = (element) => element.tagName.toLowerCase() + (element.className ? `.${element.className}` : '');

// Text and edges that tell where something is: [kind, element, contrast].
const contrasts = () => {
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const style = getComputedStyle(element);
    if (style.display === 'none') continue;
    const writes = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (writes || element.matches('input')) {
      found.push(['text', name(element), contrast(style.color, paper(element))]);
    }
    if (element.matches('input, button, .error')) {
      const around = paper(element.parentElement);
      const face = element.matches('button') ? contrast(style.backgroundColor, around) : 0;
      found.push(['edge', name(element), Math.max(face, contrast(style.borderTopColor, around))]);
    }
  }
  return found;
};

// What surrounds the element that has the focus: [element, style, width, contrast].
const ring = () => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const around = paper(element.parentElement ?? element);
  return [name(element), style.outlineStyle, parseFloat(style.outlineWidth), contrast(style.outlineColor, around)];
};

// Elements whose content is wider than they are.
const cut = () => {
  const blocks = [...document.querySelectorAll('main, main *')];
  const shown = blocks.filter((one) => getComputedStyle(one).display !== 'inline');
  return shown.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML);
};
