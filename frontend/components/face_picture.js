// A picture with a button on each face. Labels are texts of the page, so that they stay legible at
// any size of the picture; they are shown where they cover nothing.
const overlap = (a, b) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function faceButton(face, onChoose) {
  const button = document.createElement("button");
  const [left, top, width, height] = face.place;
  button.type = "button";
  button.style.cssText = `left:${left}%;top:${top}%;width:${width}%;height:${height}%`;
  button.style.setProperty("--color", face.color);
  button.setAttribute("aria-label", face.name);
  button.setAttribute("aria-pressed", face.chosen);
  button.classList.toggle("uncertain", face.uncertain);
  button.title = face.name;
  button.onclick = () => onChoose(face.number);
  for (const [kind, text] of [["tag", face.tag], ["label", face.label]]) {
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    span.hidden = !text;
    button.append(span);
  }
  return button;
}

function showFittingLabels(overlay) {
  const room = overlay.getBoundingClientRect();
  const buttons = [...overlay.children];
  const taken = buttons.flatMap((button) => [
    button.getBoundingClientRect(),
    button.querySelector(".tag").getBoundingClientRect(),
  ]);
  // The chosen face's label comes first.
  buttons.sort((a, b) => (b.ariaPressed === "true") - (a.ariaPressed === "true"));
  for (const button of buttons) {
    const label = button.querySelector(".label");
    for (const place of ["above", "below", ""]) {
      label.className = `label ${place}`;
      if (!place) break;
      const box = label.getBoundingClientRect();
      const inside = box.top >= room.top && box.bottom <= room.bottom && box.right <= room.right;
      if (inside && !taken.some((other) => overlap(box, other))) {
        taken.push(box);
        break;
      }
    }
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const image = parentElement.querySelector("img");
  const overlay = parentElement.querySelector("div.faces");
  const focused = [...overlay.children].indexOf(overlay.getRootNode().activeElement);
  if (image.src !== data.source) image.src = data.source;
  image.alt = data.alt;
  const choose = (number) => setTriggerValue("chosen", number);
  overlay.replaceChildren(...data.faces.map((face) => faceButton(face, choose)));
  if (focused >= 0) overlay.children[focused]?.focus();
  const observer = new ResizeObserver(() => showFittingLabels(overlay));
  observer.observe(overlay);
  return () => observer.disconnect();
}
