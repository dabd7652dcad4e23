// Elements out of data. Text is only ever set as text: nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; `attributes` of null or false are left out, children may be nested and text. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for pictures. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined));
  return node;
}

/**
 * Make `old` look like `wanted` and keep what is the same: focus, open details and scroll places
 * stay. A node with data-keep is left alone while the wanted one has the same value there.
 */
export function morph(old, wanted) {
  if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName) {
    old.replaceWith(wanted);
    return;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  const [kept, key] = [old.getAttribute("data-keep"), wanted.getAttribute("data-keep")];
  if (kept !== key) {
    old.replaceWith(wanted);
    return;
  }
  if (key !== null) return;
  for (const { name } of [...old.attributes]) {
    if (!wanted.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of [...wanted.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, [...wanted.childNodes]);
}

/** Make the children of `parent` look like the nodes `wanted`. */
export function morphChildren(parent, wanted) {
  const known = [...parent.childNodes];
  wanted.forEach((each, index) => {
    if (index < known.length) morph(known[index], each);
    else parent.append(each);
  });
  known.slice(wanted.length).forEach((each) => each.remove());
}

/**
 * A table that scrolls by itself; `rows` hold cells: text, nodes, or {class, content}.
 *
 * On a phone each row is a list of its cells, each under its heading. A table that is laid out so
 * is none to a screen reader any more, unless its roles are spelt out.
 */
export function table(caption, heads, rows, none = "There are none.") {
  if (!rows.length) return [el("h3", {}, caption), el("p", { class: "dim" }, none)];
  const head = heads.map((each) => el("th", { scope: "col", role: "columnheader" }, each));
  const body = rows.map((cells) => el("tr", { role: "row" }, cells.map((each, index) => cell(each, index, heads))));
  return el(
    "div",
    { class: "scroll", role: "group", tabindex: "0", "aria-label": caption },
    el(
      "table",
      { role: "table" },
      el("caption", {}, caption),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, head)),
      el("tbody", { role: "rowgroup" }, body),
    ),
  );
}

function cell(content, index, heads) {
  const plain = content !== null && typeof content === "object" && "content" in content;
  const [inner, look] = plain ? [content.content, content.class] : [content, null];
  const told = { class: look, "data-head": heads[index] };
  const shown = inner === "" || inner === null || inner === undefined ? [] : el("div", {}, inner);
  return index
    ? el("td", { role: "cell", ...told }, shown)
    : el("th", { role: "rowheader", scope: "row", ...told }, shown);
}

/** The title of a page, which takes the focus when one gets there. */
export function title(...children) {
  return el("h1", { tabindex: "-1" }, ...children);
}

/** A list of names with values; those without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el(
    "dl",
    { class: "facts" },
    known.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
  );
}

/** A section under a heading of its own. */
export function section(id, title, look, ...children) {
  return el(
    "section",
    { "aria-labelledby": id, class: look },
    el("h2", { id }, title),
    ...children,
  );
}

const WORDS = { good: "good", working: "in progress", bad: "needs a look", unknown: "not known" };

/** A state in words, so that it does not depend on its colour. */
export function badge(state, words = WORDS[state]) {
  return el("span", { class: `badge ${state}` }, words);
}
