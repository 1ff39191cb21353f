// Downloads a picture once, although this runs again with every run of the page.
let newest = 0;

export default function ({ data }) {
  if (!data || data.taken <= newest) return;
  newest = data.taken;
  const link = document.createElement("a");
  link.href = `data:image/png;base64,${data.content}`;
  link.download = data.name;
  link.click();
}
