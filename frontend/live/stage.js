// Says in the place of the picture why there is none, and names the video for screen readers.
// Only the browser knows at once: a refusal never reaches the server.
const OFF = "The camera is off. Press START and allow the camera.";
const LEFT = "Leaving this page switched the camera off. Press START to go on.";
const CONNECTING = "Connecting… Allow the camera if the browser asks.";
const REFRESH_MS = 200;
const PROBLEM_MS = 1000;
const PROBLEMS = {
  insecure:
    "The browser allows the camera only on pages opened from localhost or over https. " +
    "Open this page that way.",
  NotAllowedError:
    "The browser may not use the camera. Allow it for this page (camera icon in the " +
    "address bar), then press START again.",
  NotFoundError: "No camera found. Connect one, then press START again.",
  NotReadableError:
    "The camera could not be opened; another program may be using it. Close that program, " +
    "then press START again.",
  OverconstrainedError:
    "The selected camera is no longer connected. Choose another one with SELECT DEVICE.",
};

function streamer() {
  return document.querySelector('iframe[title*="webrtc_streamer"]');
}

function inside(frame, selector) {
  return [...(frame?.contentDocument?.querySelectorAll(selector) ?? [])];
}

async function findProblem(frame) {
  if (!navigator.mediaDevices) return PROBLEMS.insecure;
  const [alert] = inside(frame, ".MuiAlert-message");
  if (alert) return PROBLEMS[alert.textContent.split(":")[0]] ?? alert.textContent;
  const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  if (permission?.state === "denied") return PROBLEMS.NotAllowedError;
  const devices = await navigator.mediaDevices.enumerateDevices();
  const found = devices.some((device) => device.kind === "videoinput");
  return found ? "" : PROBLEMS.NotFoundError;
}

function write(paragraph, text) {
  if (paragraph.textContent !== text) paragraph.textContent = text;
  paragraph.hidden = !text;
}

export default function ({ parentElement, data }) {
  const stage = parentElement.querySelector(".stage");
  const [state, alert] = stage.querySelectorAll("p");
  let problem = "";
  const show = () => {
    const frame = streamer();
    const [video] = inside(frame, "video");
    const started = inside(frame, "button").some((button) => /^stop$/i.test(button.textContent));
    frame?.setAttribute("aria-label", "Camera: its video, START or STOP, the choice of device");
    video?.setAttribute("aria-label", "Your camera's video; faces have numbered boxes");
    stage.hidden = Boolean(video?.videoWidth);
    write(alert, started ? "" : problem);
    write(state, started ? CONNECTING : problem ? "" : data?.left ? LEFT : OFF);
  };
  const check = async () => {
    problem = await findProblem(streamer());
    show();
  };
  check();
  const timers = [setInterval(show, REFRESH_MS), setInterval(check, PROBLEM_MS)];
  return () => timers.forEach(clearInterval);
}
