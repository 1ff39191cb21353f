// Says in words why there is no camera. Only the browser knows: a refusal never reaches the server.
const WORDS = {
  insecure:
    "The browser gives the camera only to pages opened from localhost or over https. " +
    "Open this page that way.",
  NotAllowedError:
    "The browser was refused the camera. Allow it for this page (the camera sign in the " +
    "address bar), then press START again.",
  NotFoundError: "No camera was found. Connect one, then press START again.",
  NotReadableError:
    "The camera could not be opened; another program may be using it. Close that program, " +
    "then press START again.",
  OverconstrainedError:
    "The chosen camera is not there any more. Choose another one with SELECT DEVICE.",
};

function errorOfStreamer() {
  for (const frame of document.querySelectorAll('iframe[title*="webrtc_streamer"]')) {
    const alert = frame.contentDocument?.querySelector(".MuiAlert-message");
    const name = alert?.textContent.split(":")[0];
    if (name in WORDS) return name;
  }
  return null;
}

async function problem() {
  if (!navigator.mediaDevices) return "insecure";
  const shown = errorOfStreamer();
  if (shown) return shown;
  const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  if (permission?.state === "denied") return "NotAllowedError";
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.some((device) => device.kind === "videoinput") ? null : "NotFoundError";
}

export default function ({ parentElement }) {
  const words = parentElement.querySelector("p");
  const look = async () => {
    const text = WORDS[await problem()] ?? "";
    if (words.textContent !== text) words.textContent = text;
    words.hidden = !text;
  };
  look();
  const timer = setInterval(look, 1000);
  return () => clearInterval(timer);
}
