// Explains why there is no camera. Only the browser knows: a refusal never reaches the server.
const MESSAGES = {
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

function errorOfStreamer() {
  for (const frame of document.querySelectorAll('iframe[title*="webrtc_streamer"]')) {
    const alert = frame.contentDocument?.querySelector(".MuiAlert-message");
    const name = alert?.textContent.split(":")[0];
    if (name in MESSAGES) return name;
  }
  return null;
}

async function findProblem() {
  if (!navigator.mediaDevices) return "insecure";
  const shown = errorOfStreamer();
  if (shown) return shown;
  const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  if (permission?.state === "denied") return "NotAllowedError";
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.some((device) => device.kind === "videoinput") ? null : "NotFoundError";
}

export default function ({ parentElement }) {
  const message = parentElement.querySelector("p");
  const update = async () => {
    const text = MESSAGES[await findProblem()] ?? "";
    if (message.textContent !== text) message.textContent = text;
    message.hidden = !text;
  };
  update();
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
}
