// Posts as they are quoted: toxic ones masked until asked for.
const WORD = /[\p{L}\p{N}]+/gu;
const masked = (text) => text.replace(WORD, (word) => {
  const letters = [...word];
  return letters[0] + "∗".repeat(letters.length - 1);
});
const LIKELY_TOXIC = 0.4 * SCALE;
const hiding = () => !byId("show-toxic").checked;

function quote(post, hide = hiding()) {
  const box = el("blockquote");
  if (post.text === null) box.append(el("p", {}, el("em", {}, "Text not stored.")));
  else if (hide && (post.toxicity === null || post.toxicity >= LIKELY_TOXIC)) {
    box.append(el("p", { "aria-hidden": "true" }, masked(post.text)), el("p", { class: "sr" }, "Toxic text, masked."));
  } else box.append(el("p", { dir: "auto" }, post.text));
  const score = post.toxicity === null ? "not scored" : `toxicity ${METRICS.mean_toxicity.format(post.toxicity)}`;
  const by = post.authors > 1 ? ` by ${count(post.authors)} authors` : "";
  const copies = post.copies > 1 ? `, said ${count(post.copies)} times${by}` : "";
  const foot = el("footer", {}, `${post.source}, ${timeText(post.at)}, ${score}${copies}`);
  // Only addresses that the page's maker built from an id are links.
  if (post.link?.startsWith("https://")) foot.append(" · ", el("a", { href: post.link, rel: "noopener noreferrer", target: "_blank" }, "at its network"));
  box.append(foot);
  return box;
}

const termList = (terms, label) =>
  el("ul", { class: "terms", "aria-label": label }, ...terms.map(([term, note]) => {
    const li = el("li", {}, el("bdi", { dir: "auto" }, term));
    if (note) li.append(el("small", {}, ` ${note}`));
    return li;
  }));
