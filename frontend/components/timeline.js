// Shows a recording's figure. A playhead follows the page's video; a press on the figure seeks.
const LEAD_SECONDS = 1; // a change is played from a little before it
const STEP_SECONDS = 1;
const HEADER = "4.5rem 0 1rem"; // Streamlit's header lies over the page
const reduced = matchMedia("(prefers-reduced-motion: reduce)");

function nearest(times, time) {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle;
    else high = middle;
  }
  return Math.abs(times[low] - time) <= Math.abs(times[high] - time) ? low : high;
}

function clock(time) {
  const tenths = Math.round(10 * time);
  const [hours, minutes] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60];
  const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".recording");
  const readout = root.querySelector(".readout");
  if (root.shown !== data.html) {
    root.shown = data.html;
    root.append(readout); // out of what is replaced
    root.querySelector(".figure").innerHTML = data.html; // escaped by Python
  }
  if (!data.times) return; // no figure, but a legend
  const plots = [...root.querySelectorAll(".plot")];
  [...root.querySelectorAll(".timeline")].at(-1).after(readout);
  readout.hidden = false;
  const video = () => (data.player ? document.querySelector(data.player) : null);
  const listeners = new AbortController();
  const { signal } = listeners;
  let position = video()?.currentTime ?? 0;

  const move = (time) => {
    for (const head of root.querySelectorAll(".playhead")) {
      head.style.left = `${(100 * Math.min(Math.max(time / data.end, 0), 1)).toFixed(3)}%`;
      head.hidden = false;
    }
  };
  const tell = (time) => {
    const text = `${clock(time)}  ${data.texts[nearest(data.times, time)] ?? ""}`;
    readout.textContent = text;
    for (const plot of plots) {
      plot.setAttribute("aria-valuenow", time.toFixed(1));
      plot.setAttribute("aria-valuetext", text);
    }
  };
  const show = (time) => {
    move(time);
    tell(time);
  };
  const seek = (time) => {
    position = Math.min(Math.max(time, 0), data.end);
    if (video()) video().currentTime = position;
    show(position);
  };
  const reveal = (block) => {
    const player = video();
    if (!player) return;
    player.style.scrollMargin = HEADER;
    player.scrollIntoView({ block, behavior: reduced.matches ? "auto" : "smooth" });
  };

  for (const plot of plots) {
    if (!plot.querySelector(".playhead")) {
      plot.insertAdjacentHTML("beforeend", "<i class='playhead' hidden></i>");
    }
    plot.setAttribute("role", "slider");
    plot.setAttribute("aria-valuemin", "0");
    plot.setAttribute("aria-valuemax", data.end.toFixed(1));
    plot.setAttribute("aria-valuenow", position.toFixed(1));
    plot.tabIndex = 0;
    const timeAt = (event) => {
      const { left, width } = plot.getBoundingClientRect();
      return (Math.min(Math.max((event.clientX - left) / width, 0), 1) || 0) * data.end;
    };
    plot.addEventListener(
      "pointermove",
      (event) => {
        if (!video()) move(timeAt(event));
        tell(timeAt(event));
      },
      { signal },
    );
    plot.addEventListener("pointerleave", () => show(position), { signal });
    plot.addEventListener(
      "click",
      (event) => {
        seek(timeAt(event));
        reveal("nearest");
      },
      { signal },
    );
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    plot.addEventListener(
      "keydown",
      (event) => {
        if (event.key in steps) seek(position + STEP_SECONDS * steps[event.key]);
        else if (event.key === "Home") seek(0);
        else if (event.key === "End") seek(data.end);
        else return;
        event.preventDefault();
      },
      { signal },
    );
  }

  if (data.player) {
    for (const moment of root.querySelectorAll("li[data-time]")) {
      if (!moment.querySelector("button")) {
        const button = document.createElement("button");
        button.append(...moment.childNodes);
        moment.append(button);
      }
      moment.querySelector("button").addEventListener(
        "click",
        () => {
          seek(Number(moment.dataset.time) - LEAD_SECONDS);
          reveal("center");
          video()?.play();
        },
        { signal },
      );
    }
    // Events of media don't bubble, but they can be caught on their way down.
    const follow = (event) => {
      if (event.target !== video()) return;
      position = event.target.currentTime;
      show(position);
    };
    for (const name of ["timeupdate", "seeking", "loadedmetadata"]) {
      document.addEventListener(name, follow, { capture: true, signal });
    }
    const glide = () => {
      const player = video();
      if (signal.aborted || !player || player.paused) return;
      move(player.currentTime);
      requestAnimationFrame(glide);
    };
    const start = (event) => {
      if (event.target === video() && !reduced.matches) glide();
    };
    document.addEventListener("playing", start, { capture: true, signal });
    glide();
    show(position);
  }
  return () => listeners.abort();
}
