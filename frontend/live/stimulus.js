// Plays a video that the viewer chooses; it is not uploaded. Python learns when it plays.
export default function ({ parentElement, setTriggerValue }) {
  const input = parentElement.querySelector("input");
  const video = parentElement.querySelector("video");
  const report = (kind) => {
    const { name } = video.dataset;
    setTriggerValue("event", { kind, name, position: video.currentTime, at: Date.now() });
  };
  // This runs again after every run of the page: handlers are replaced, the video goes on.
  input.onchange = () => {
    const [file] = input.files;
    if (!file) return;
    if (video.src) URL.revokeObjectURL(video.src);
    video.src = URL.createObjectURL(file);
    video.dataset.name = file.name;
    video.dataset.runs = "no";
    video.hidden = false;
  };
  // After a jump and after a pause for loading, "playing" comes again.
  video.onplaying = () => {
    if (video.dataset.runs === "yes") return;
    video.dataset.runs = "yes";
    report("plays");
  };
  video.onseeked = () => {
    if (video.dataset.runs === "yes") report("jumps");
  };
  // Before the end, "pause" comes, too.
  video.onpause = () => {
    if (video.ended) return;
    video.dataset.runs = "no";
    report("pauses");
  };
  video.onended = () => {
    video.dataset.runs = "no";
    report("ends");
  };
}
